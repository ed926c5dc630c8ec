"""What the owners of addresses said about which messages they want."""
