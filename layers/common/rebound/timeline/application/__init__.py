"""The use cases of timeline."""
