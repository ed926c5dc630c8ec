"""The message log, what is written into messages, and the links in them."""
