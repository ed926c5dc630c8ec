"""What jobs are: values and rules."""
