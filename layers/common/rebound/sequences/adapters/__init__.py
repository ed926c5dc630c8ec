"""Sequences over AWS."""
