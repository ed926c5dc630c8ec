"""What stands behind the ports of sending."""
