"""The block editor: pages, the form, what its buttons do, and the text of blocks."""
