"""``make mutate``: small faults planted in the heart, one at a time, and whether a test notices (docs/mutation.md)."""
