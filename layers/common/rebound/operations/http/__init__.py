"""The operator's API, for a platform that needs no shell: what the commands do, by the same use cases."""
