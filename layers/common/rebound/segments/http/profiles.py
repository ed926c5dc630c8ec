"""Customers, one at a time, with all that is known of whose profile it is."""

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from rebound.customers import http
from rebound.segments import wiring


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    http.add_routes(app, wiring.use_cases)
