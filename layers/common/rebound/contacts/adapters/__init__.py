"""What stands behind the ports of contacts."""
