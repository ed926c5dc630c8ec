"""Customers in files: in and out, of any size."""
