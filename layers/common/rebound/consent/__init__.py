"""What the owners of addresses said about what they want to get."""
