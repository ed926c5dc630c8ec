"""The use cases of segments."""
