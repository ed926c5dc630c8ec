"""What stands behind the ports of webhooks."""
