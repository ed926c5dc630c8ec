"""What stands behind the ports of businesses."""
