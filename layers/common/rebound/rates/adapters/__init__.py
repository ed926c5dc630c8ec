"""What stands behind the ports of rates."""
