"""What preferences are: values and rules."""
