"""What contacts are: values and rules."""
