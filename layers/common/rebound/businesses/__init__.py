"""The tenants and their settings."""
