"""Metering texts, and telling the owner."""
