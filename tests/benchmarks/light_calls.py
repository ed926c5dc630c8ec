"""Calls of DynamoDB without botocore in between, so that a million of something can be counted in minutes.

botocore takes nine tenths of the time of a run here: it builds, signs and parses a request for each call. What is asked
of the tables and what they answer are the same documents without it, so that units, requests and rows are the same,
which ``tests/unit/benchmarks/test_light_calls.py`` holds, also against moto. What is not the same is CPU: it is to be
taken from a smaller run with botocore.
"""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from time import process_time
from typing import Any, Final
from unittest.mock import patch

from botocore.client import BaseClient
from msgspec.json import decode, encode

from tests.benchmarks.cloud import Cloud
from tests.benchmarks.deployment import Usage
from tests.benchmarks.tables import RefusedError

_BINARY: Final = b'"B":"'


@contextmanager
def light_calls(cloud: Cloud) -> Iterator[None]:
    """Every client's calls of DynamoDB go to the cloud's tables at once; those of other services as they always do."""
    by_botocore: Any = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client: Any, operation: str, parameters: Mapping[str, Any]) -> Any:
        if client.meta.service_model.service_name != "dynamodb":
            return by_botocore(client, operation, parameters)
        start = process_time()
        cloud.calls[f"dynamodb:{operation}"] += 1
        try:
            # Bytes become base64 as in a request.
            return _read(cloud.tables.operate(operation, decode(encode(parameters))))
        except RefusedError as error:
            refusal = {"Error": {"Code": error.name, "Message": str(error)}, **error.more}
            raise client.exceptions.from_code(error.name)(refusal, operation) from None
        finally:
            cloud.own_cpu += process_time() - start

    with patch.object(BaseClient, "_make_api_call", call):
        yield


def _read(answer: bytes) -> Any:
    return json.loads(answer, object_hook=_with_bytes) if _BINARY in answer else decode(answer)


def _with_bytes(document: dict[str, Any]) -> dict[str, Any]:
    if len(document) == 1 and isinstance(written := document.get("B"), str):
        return {"B": b64decode(written)}
    return document


def with_the_cpu_of(measured: Usage, counted: Usage) -> Usage:
    """What was counted by light calls, with the CPU that each thing took of each function in a run with botocore."""
    more = counted.recipients / measured.recipients
    of_function = {
        name: replace(taken, cpu=measured.invocations[name].cpu * more) for name, taken in counted.invocations.items()
    }
    return replace(counted, invocations=of_function)
