"""What campaigns are: values and rules."""
