"""How long a call of DynamoDB that met others is tried again."""

from typing import Any

import pytest

from rebound.platform.adapters.aws import PATIENCE, _patience


def met(code: str, *reasons: str) -> tuple[None, dict[str, Any]]:
    return None, {"Error": {"Code": code}, "CancellationReasons": [{"Code": reason} for reason in reasons]}


CONFLICT = met("TransactionConflictException")
TOO_MUCH = met("TransactionCanceledException", "None", "ThrottlingError", "ProvisionedThroughputExceeded")


@pytest.mark.parametrize("response", [CONFLICT, TOO_MUCH], ids=["conflict", "too much"])
def test_what_was_refused_for_others_comes_again_later_each_time_and_not_for_ever(response: Any) -> None:
    waits = [_patience(response, attempts) for attempts in range(1, PATIENCE + 2)]

    assert waits[-1] is None
    assert all(0.025 <= wait <= 2 for wait in waits[:-1] if wait is not None)
    assert None not in waits[:-1]
    assert 3 < sum(wait for wait in waits if wait is not None) < 8


@pytest.mark.parametrize(
    "response",
    [
        None,
        met("ConditionalCheckFailedException"),
        met("TransactionCanceledException"),
        met("TransactionCanceledException", "None", "ConditionalCheckFailed"),
        met("TransactionCanceledException", "ThrottlingError", "ConditionalCheckFailed"),
        met("TransactionCanceledException", "TransactionConflict"),
    ],
    ids=str,
)
def test_what_has_to_be_decided_again_is_left_to_the_caller(response: Any) -> None:
    assert _patience(response, 1) is None
