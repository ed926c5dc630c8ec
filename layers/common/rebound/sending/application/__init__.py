"""The use cases of sending."""
