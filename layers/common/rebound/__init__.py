"""Rebound: campaign messaging that keeps every contact's reachability and consent honest."""
