"""What recurs, on which days, and who is due when; all of it can be said without asking anybody."""
