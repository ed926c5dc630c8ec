"""Loyalty: favourites, and the tiers of customers by what they did."""
