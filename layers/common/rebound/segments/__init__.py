"""Filters over customers, saved and not, and what is done with all whom they match."""
