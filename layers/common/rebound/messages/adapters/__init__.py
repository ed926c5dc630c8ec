"""What stands behind the ports of messages."""
