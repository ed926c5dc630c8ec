"""The pages of operators, which a function of its own serves (decision 0134)."""
