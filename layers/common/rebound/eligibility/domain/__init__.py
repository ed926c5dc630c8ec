"""The domain of eligibility: values and rules."""
