"""Profiles, and the copies of flags that lists filter by."""
