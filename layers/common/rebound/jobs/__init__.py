"""Work for a business that takes longer than a request waits."""
