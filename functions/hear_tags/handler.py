"""Tells sequences of tags that customers were given, as the change stream of customers has it."""

from collections.abc import Mapping
from typing import Any

from rebound.platform.invocations import at_start
from rebound.sequences import wiring

at_start(lambda: wiring.use_cases().hear_tags)


def lambda_handler(event: Mapping[str, Any], context: Any) -> None:  # noqa: ARG001 - Lambda's signature
    """Tell of one batch; one that fails comes again as a whole, and who was told is told again."""
    wiring.use_cases().hear_tags(wiring.ports().tags_given_of(event["Records"]))
