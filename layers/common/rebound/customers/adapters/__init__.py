"""Adapters of customers."""
