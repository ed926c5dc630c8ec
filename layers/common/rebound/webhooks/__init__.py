"""Domain events signed and posted to the clients' own servers."""
