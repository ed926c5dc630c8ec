"""What stands behind the ports of imports and exports."""
