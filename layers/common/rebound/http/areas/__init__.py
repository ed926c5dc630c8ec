"""The areas of the API, each with its shapes and routes, loaded when a request for one comes."""
