"""The API: which areas it has."""
