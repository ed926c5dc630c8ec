"""The domain of templates: values and rules."""
