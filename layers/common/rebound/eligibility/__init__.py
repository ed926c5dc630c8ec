"""The one decision who gets a message, its explanation, and what it would come to for an audience."""
