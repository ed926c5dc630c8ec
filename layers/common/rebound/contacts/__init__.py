"""What is known of an address: whether it can be reached, what was said about it, and its history."""
