"""Writes the pages of the reference."""

from local.api_reference.pages import write

write()
