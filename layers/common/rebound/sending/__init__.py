"""From a campaign or a single message to what the providers are handed."""
