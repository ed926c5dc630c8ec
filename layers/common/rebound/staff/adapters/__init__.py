"""Adapters of staff."""
