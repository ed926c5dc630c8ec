"""How many segments of texts a business may use in a month, and has used: counted exactly (truth 15)."""
