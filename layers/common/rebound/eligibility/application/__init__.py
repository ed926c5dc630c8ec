"""The use cases of eligibility."""
