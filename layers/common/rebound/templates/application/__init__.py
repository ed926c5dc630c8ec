"""The use cases of templates."""
