"""What stands behind the ports of campaigns."""
