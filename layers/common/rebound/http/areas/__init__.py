"""The areas of the API, each with its shapes and routes."""
