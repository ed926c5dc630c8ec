"""The use cases of staff."""
