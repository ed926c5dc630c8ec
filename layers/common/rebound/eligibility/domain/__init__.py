"""What eligibility are: values and rules."""
