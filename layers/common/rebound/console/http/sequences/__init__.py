"""Sequences: what happens by itself, as a list, as sentences, and as a form."""
