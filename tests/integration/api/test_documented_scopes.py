"""A key needs what the OpenAPI document says, and no more."""

import re
from typing import Any, Final

import pytest

from rebound.kernel.api_scopes import ALL_SCOPES, OPERATOR_SCOPES
from rebound.platform.http.openapi import operations
from tests.fakes.partial_updates import DOCUMENT
from tests.integration.conftest import Answer, Stack

WITH_A_KEY: Final = [
    pytest.param(path, method, operation["security"], id=operation["operationId"])
    for path, method, operation in operations(DOCUMENT)
    if operation["security"]
]


def answered(stack: Stack, path: str, method: str, scopes: set[str]) -> Answer:
    address = re.sub("{[a-z_]+}", "0" * 32, path)
    body: dict[str, Any] | None = None if method in ("get", "delete") else {}
    return stack.api(method.upper(), address, body, scopes=" ".join(sorted(scopes)))


@pytest.mark.parametrize(("path", "method", "security"), WITH_A_KEY)
def test_a_key_needs_what_is_documented(
    stack: Stack, path: str, method: str, security: list[dict[str, list[str]]]
) -> None:
    ways = [set(scopes) for way in security for scopes in way.values()]
    every = set(map(str, OPERATOR_SCOPES if "operator_key" in security[0] else ALL_SCOPES))
    assert [set(way) for way in security] == [{"operator_key" if path.startswith("/v1/operator/") else "key"}] * len(
        ways
    )
    assert all(ways)
    for way in ways:
        assert answered(stack, path, method, way).status != 403
    if len(ways) > 1:  # Which one it is shows when the thing has been read.
        return
    for scope in ways[0]:
        refused = answered(stack, path, method, every - {scope})
        assert (refused.status, scope in refused.body["detail"]) == (403, True)
