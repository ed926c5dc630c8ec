"""Recurring campaigns: birthdays, customers who stay away, every week or month."""
