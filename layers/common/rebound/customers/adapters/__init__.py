"""What stands behind the ports of customers."""
