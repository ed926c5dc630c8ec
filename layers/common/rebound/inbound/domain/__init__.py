"""What inbound are: values and rules."""
