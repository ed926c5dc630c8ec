"""The console over HTTP: requests, pages and their words."""
