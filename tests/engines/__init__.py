"""Programs of other people for Node.js that judge what we do."""
