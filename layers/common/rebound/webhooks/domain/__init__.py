"""What a webhook is, what becomes of what is posted to it, and where it may be."""
