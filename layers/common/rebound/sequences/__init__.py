"""Sequences: what happens by itself once something has happened with a customer."""
