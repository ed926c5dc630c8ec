"""The use cases of receipts."""
