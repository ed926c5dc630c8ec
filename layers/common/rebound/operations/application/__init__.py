"""The use cases of operations."""
