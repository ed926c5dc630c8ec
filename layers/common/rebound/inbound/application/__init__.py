"""The use cases of inbound."""
