"""People who log in to the console: who they are, what they may do, and how they sign in."""
