"""What sending are: values and rules."""
