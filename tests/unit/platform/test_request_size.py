"""How large a request may be: what Lambda would not take is refused before, with the way out."""

import json
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.platform.http.app import MAX_BODY, _check_size
from rebound.platform.http.problems import TooLargeError

LAMBDA: Final = 6 * 1024 * 1024
"""Bytes of an event that Lambda takes ("Lambda quotas": invocation payload, synchronous)."""
ENVELOPE: Final = 64 * 1024
"""More than API Gateway adds: 10,240 bytes of headers, twice, the context, and the path."""


def asked(path: str, body: str) -> dict[str, Any]:
    return {"path": path, "httpMethod": "POST", "body": body}


def as_lambda_counts(event: dict[str, Any]) -> int:
    return len(json.dumps(event, ensure_ascii=False).encode()) + ENVELOPE


def refused(event: dict[str, Any]) -> str | None:
    """Why a request is refused for its size, if it is."""
    try:
        _check_size(event)
    except TooLargeError as error:
        return str(error)
    return None


@given(
    st.sampled_from(["a", '"', "\\", "\n", "a,b\n", '"a","b"\r\n', "é", "山", "😀", "\u0001"]),
    st.integers(0, 6_500_000),
)
def test_an_import_that_lambda_would_not_take_is_told_to_be_uploaded(piece: str, size: int) -> None:
    content = piece * (size // len(piece.encode()))
    event = asked("/v1/imports", json.dumps({"format": "csv", "content": content}, ensure_ascii=False))
    refusal = refused(event)

    if refusal is None:
        assert as_lambda_counts(event) <= LAMBDA
    else:
        assert "upload_url" in refusal
        assert as_lambda_counts(event) > 0.9 * LAMBDA


@pytest.mark.parametrize("path", ["/v1/imports", "/v1/imports/"])
def test_five_megabytes_of_plain_rows_may_come_along(path: str) -> None:
    row = "c-1,Ana,Silva,ana@example.com,+14155550123,vip\n"
    content = row * (5_000_000 // len(row))

    _check_size(asked(path, json.dumps({"format": "csv", "content": content})))


def test_other_requests_may_have_half_a_megabyte() -> None:
    _check_size(asked("/v1/customers", "x" * MAX_BODY))
    with pytest.raises(TooLargeError):
        _check_size(asked("/v1/customers", "x" * (MAX_BODY + 1)))
    with pytest.raises(TooLargeError):
        _check_size(asked("/v1/customers/by-external-id/imports", "x" * (MAX_BODY + 1)))
