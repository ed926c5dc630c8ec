"""Rebound: campaign messaging that keeps every contact's reachability and consent honest.

One folder for each capability. docs/architecture.md draws them, and explains the truths that docstrings name by number.
"""
