"""What stands behind the ports of inbound."""
