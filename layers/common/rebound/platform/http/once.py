"""A request that is done once however often it comes. Loaded when a request asks for it."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyValidationError,
)

from rebound.kernel.errors import ConflictError
from rebound.platform import wiring

DAY_SECONDS: Final = 24 * 60 * 60


def do_once(perform: Callable[[], dict[str, Any]], name: list[str], body: Any, context: Any) -> Mapping[str, Any]:
    """What ``perform`` answered the first time that this name was seen within a day; an answer must be JSON.

    Raises ``ConflictError`` while another is still at it, and when the name came with another body before.
    """
    config = IdempotencyConfig(
        event_key_jmespath="key", payload_validation_jmespath="body", expires_after_seconds=DAY_SECONDS
    )
    if context is not None:
        config.register_lambda_context(context)

    def performed(request: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001 - what the key and the check are made of
        return perform()

    once = idempotent_function(
        performed, data_keyword_argument="request", config=config, persistence_store=_store(), key_prefix="post"
    )
    try:
        answer: Mapping[str, Any] = once(request={"key": name, "body": body})
    except IdempotencyAlreadyInProgressError:
        raise ConflictError(
            "idempotency_in_progress",
            "A request with this Idempotency-Key is still being worked on; try again.",
        ) from None
    except IdempotencyValidationError:
        raise ConflictError(
            "idempotency_key_reused", "This Idempotency-Key was used before with another request."
        ) from None
    return answer


@cache
def _store() -> DynamoDBPersistenceLayer:
    return DynamoDBPersistenceLayer(
        table_name=wiring.ports().settings["IDEMPOTENCY_TABLE"], boto3_client=wiring.ports().aws("dynamodb")
    )
