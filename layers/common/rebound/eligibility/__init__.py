"""The one decision on who gets a message, its explanation, and its preview for an audience."""
