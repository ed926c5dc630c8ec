"""What stands behind the ports of segments."""
