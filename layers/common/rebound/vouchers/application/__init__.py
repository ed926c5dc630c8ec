"""The use cases of vouchers."""
