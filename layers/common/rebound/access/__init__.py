"""Who may call: API keys and the businesses that they belong to."""
