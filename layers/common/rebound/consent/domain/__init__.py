"""What consent are: values and rules."""
