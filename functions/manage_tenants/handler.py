"""The operator's commands; invoked by the ``rebound`` command only."""

from collections.abc import Mapping
from typing import Any

from rebound import wiring
from rebound.commands import run


def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Run one command; bad input is an answer with ``errors``, not an error."""
    return run(wiring.manage_tenants(), event)
