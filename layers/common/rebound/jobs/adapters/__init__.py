"""What stands behind the ports of jobs."""
