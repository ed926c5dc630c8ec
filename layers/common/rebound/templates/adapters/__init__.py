"""The adapters of templates."""
