"""The domain of sending: values and rules."""
