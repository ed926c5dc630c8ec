"""What customers did, as clients' systems tell: events, and one summary of them for each customer."""
