"""The use cases of preferences."""
