"""How fast an account may send."""
