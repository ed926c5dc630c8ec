"""The domain of campaigns: values and rules."""
