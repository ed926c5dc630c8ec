"""Recurring campaigns over HTTP, and what may not be removed because of them."""
