"""What stands behind the ports of eligibility."""
