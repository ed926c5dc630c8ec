"""Eligibility over HTTP."""
