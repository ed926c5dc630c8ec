"""Inbound over HTTP."""
