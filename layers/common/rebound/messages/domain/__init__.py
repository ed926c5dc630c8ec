"""The domain of messages: values and rules."""
