"""What businesses are: values and rules."""
