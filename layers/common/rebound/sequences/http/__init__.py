"""Sequences in the API."""
