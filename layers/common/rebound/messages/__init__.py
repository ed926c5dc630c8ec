"""The message log, mailings, and the links in messages."""
