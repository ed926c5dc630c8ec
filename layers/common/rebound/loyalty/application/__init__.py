"""The use cases of loyalty."""
