"""A request that is done once however often it comes. Loaded when a request asks for it."""

import zlib
from base64 import b64decode, b64encode
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
KEPT_AS_IT_IS: Final = 20_000
"""Characters of an answer."""


def do_once(perform: Callable[[], dict[str, Any]], name: list[str], body: Any, context: Any) -> Mapping[str, Any]:
    """What ``perform`` answered the first time that this name was seen within a day; an answer must be JSON.

    Its ``body`` is kept compressed where it is long: a row of DynamoDB holds 400 KB, and powertools writes each
    character beyond ASCII in six. Requests hold less than what does not fit in compressed.

    Raises ``ConflictError`` while another is still at it, and when the name came with another body before.
    """
    config = IdempotencyConfig(
        event_key_jmespath="key", payload_validation_jmespath="body", expires_after_seconds=DAY_SECONDS
    )
    if context is not None:
        config.register_lambda_context(context)

    def performed(request: dict[str, Any]) -> Mapping[str, Any]:  # noqa: ARG001 - what the key and the check are made of
        answer = perform()
        body = answer["body"]
        if len(body) <= KEPT_AS_IT_IS:
            return answer
        return {**answer, "body": b64encode(zlib.compress(body.encode())).decode(), "compressed": True}

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
    if answer.get("compressed"):
        return {**answer, "body": zlib.decompress(b64decode(answer["body"])).decode()}
    return answer


@cache
def _store() -> DynamoDBPersistenceLayer:
    return DynamoDBPersistenceLayer(
        table_name=wiring.ports().settings["IDEMPOTENCY_TABLE"], boto3_client=wiring.ports().aws("dynamodb")
    )
