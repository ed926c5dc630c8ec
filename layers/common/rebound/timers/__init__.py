"""What is due at a time: a table of it, and a sweep that wakes what has come due."""
