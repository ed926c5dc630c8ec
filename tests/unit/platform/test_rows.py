"""Versions of rows, and transactions that are refused for being too much at this moment."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from pynamodb.exceptions import CancellationReason, TransactWriteError, VerboseClientError

from rebound.kernel.errors import ComeAgainError
from rebound.platform.adapters.dynamo import EpochAttribute, come_again_when_busy, later_version, next_version

FAR = 10**15
"""A version of a clock that is far ahead."""
BUSY = (
    *("ThrottlingError", "ThrottlingException", "RequestLimitExceeded"),
    *("ProvisionedThroughputExceeded", "ProvisionedThroughputExceededException"),
)


def test_a_version_is_later_than_the_one_before_whatever_the_clock_says() -> None:
    assert later_version(FAR) == next_version(FAR) == FAR + 1
    assert later_version(0) > 1_600_000_000_000
    assert next_version(1) == 2


def refused(*reasons: str, code: str = "TransactionCanceledException") -> TransactWriteError:
    told = [None if each == "None" else CancellationReason(code=each) for each in reasons]
    answer = {"Error": {"Code": code, "Message": "x"}}
    return TransactWriteError("refused", VerboseClientError(answer, "TransactWriteItems", cancellation_reasons=told))


@pytest.mark.parametrize(
    "reasons", [("None", "ThrottlingError"), BUSY, (*BUSY, "None"), *((reason,) for reason in BUSY)], ids=str
)
def test_what_is_too_much_at_this_moment_comes_again(reasons: Sequence[str]) -> None:
    with pytest.raises(ComeAgainError), come_again_when_busy():
        raise refused(*reasons)


@pytest.mark.parametrize(
    "reasons", [(), ("None",), ("ThrottlingError", "ConditionalCheckFailed"), ("ValidationError", "None")], ids=str
)
def test_what_would_be_refused_again_does_not(reasons: Sequence[str]) -> None:
    with pytest.raises(TransactWriteError), come_again_when_busy():
        raise refused(*reasons)


def test_a_call_that_is_refused_for_being_too_much_as_a_whole_comes_again() -> None:
    with pytest.raises(ComeAgainError), come_again_when_busy():
        raise refused(code="ThrottlingException")


def test_packed_times_are_microseconds_since_1970() -> None:
    packed = EpochAttribute()

    assert packed.serialize(datetime(1970, 1, 1, 0, 0, 1, 5, UTC)) == "1000005"
    assert packed.deserialize("1764417600000000") == datetime(2025, 11, 29, 12, tzinfo=UTC)
