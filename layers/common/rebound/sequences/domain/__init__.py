"""What sequences are made of, and where somebody stands in one."""
