"""The domain of consent: values and rules."""
