"""What the providers say happened."""
