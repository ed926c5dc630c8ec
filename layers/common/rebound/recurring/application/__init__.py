"""The use cases of recurring campaigns."""
