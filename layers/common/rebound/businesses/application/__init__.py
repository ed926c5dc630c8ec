"""The use cases of businesses."""
