"""The use cases of activity."""
