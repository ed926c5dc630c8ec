"""The API reference of the console, written from the OpenAPI document (`make openapi`)."""
