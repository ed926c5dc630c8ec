"""The domain of businesses: values and rules."""
