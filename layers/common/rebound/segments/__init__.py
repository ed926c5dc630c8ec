"""Filters over customers, saved or not, and what is done with all customers that match."""
