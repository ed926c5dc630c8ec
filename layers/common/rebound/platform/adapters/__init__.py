"""What stands behind the ports of platform."""
