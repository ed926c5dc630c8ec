"""Vouchers of campaigns: redeeming them, taking that back, and what applies when a customer comes."""
