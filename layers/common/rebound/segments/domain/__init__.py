"""Segments, and the filters that say who is in them."""
