"""What stands behind the ports of receipts."""
