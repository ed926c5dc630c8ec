"""The use cases of campaigns."""
