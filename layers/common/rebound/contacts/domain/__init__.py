"""The domain of contacts: values and rules."""
