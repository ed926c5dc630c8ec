"""What messages are: values and rules."""
