"""The domain of loyalty: tiers, and the ranking that they look at."""
