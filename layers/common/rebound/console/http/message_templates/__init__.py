"""Templates of messages: the list, and the page of one with its form."""
