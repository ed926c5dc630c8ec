"""Platform over HTTP."""
