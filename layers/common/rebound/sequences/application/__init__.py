"""The use cases of sequences."""
