"""The public HTTP API: schemas, routes, problem details and idempotency over the use cases."""
