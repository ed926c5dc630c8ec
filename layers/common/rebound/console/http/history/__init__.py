"""Who did what, and when: how it is written down, and the pages that show it."""
