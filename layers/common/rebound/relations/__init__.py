"""Family and friends of customers."""
