"""Shared vocabulary: the values, ids, errors and events that all capabilities use."""
