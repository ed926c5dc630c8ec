"""The domain of inbound: values and rules."""
