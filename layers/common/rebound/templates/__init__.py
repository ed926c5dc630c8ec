"""Templates: what emails and texts say, and how they are written out for one recipient."""
