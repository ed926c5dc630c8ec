"""The use cases of jobs."""
