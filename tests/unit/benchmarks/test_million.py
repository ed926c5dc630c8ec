"""The arithmetic of the plan for a million recipients."""

import pytest

from tests.benchmarks.deployment import Invocations, Usage
from tests.benchmarks.million import (
    HISTORY_EVENTS,
    NEW_TABLE_WRITES,
    Needs,
    history_of,
    looks_of,
    plan,
    predicted,
    ranges_of,
    transitions_of,
)


def usage(recipients: int = 100) -> Usage:
    """A run in which a recipient needs two writes of a message and one of something that all have in common."""
    return Usage(
        recipients=recipients,
        writes={"MessagesTable": 2 * recipients, "ChunksTable": recipients},
        reads={"ContactsTable": 3.0 * recipients},
        calls={},
        sqs_requests=recipients // 4,
        invocations={
            "expand_campaign": Invocations(1, cpu=0.0, waiting=0.001 * recipients),
            "send_email": Invocations(1, cpu=0.0, waiting=0.009 * recipients),
        },
        transitions=0,
        longest_history=0,
        api_requests=0,
        provider_events=0,
        bus_events=0,
        log_bytes=0,
        seconds=1.0,
        results={},
    )


def test_each_quota_lets_through_what_a_recipient_needs_of_it() -> None:
    limits = Needs.measured(usage()).limits()

    assert limits["writes of messages"] == NEW_TABLE_WRITES.limit / 2
    assert limits["writes of chunks"] == 1_000
    assert limits["reads of contacts"] == 4_000
    assert limits["Lambda concurrency"] == pytest.approx(100_000)
    assert limits["expansion"] == pytest.approx(8_000)


@pytest.mark.parametrize(("rate", "binding", "seconds"), [(14, "SES rate", 71_434), (2_000, "writes of chunks", 1_005)])
def test_the_slowest_of_all_binds(rate: float, binding: str, seconds: int) -> None:
    found = plan(Needs.measured(usage()), 1_000_000, rate)

    assert (found["binding"], found["seconds"]) == (binding, seconds)
    assert found["history_events"] < HISTORY_EVENTS.limit


def test_a_business_has_no_more_ranges_than_it_is_worth() -> None:
    assert [ranges_of(n) for n in (0, 1, 2_500, 2_501, 100_000)] == [1, 1, 1, 2, 8]


def test_a_campaign_of_one_range_that_is_looked_at_twice() -> None:
    assert (transitions_of(1, 2), history_of(1, 2)) == (10, 41)


def test_there_are_more_looks_the_longer_it_takes_but_few_for_a_short_one() -> None:
    looks = [looks_of(n, 500) for n in (1_000, 10_000, 100_000, 1_000_000)]

    assert looks == sorted(looks)
    assert looks[0] == 2
    assert looks[-1] < 60


def test_a_larger_run_is_predicted_from_what_a_recipient_needs() -> None:
    found = predicted(usage(), 10_000, 500)

    assert found["write units"] == 30_000
    assert found["SQS requests"] == 2_500
    assert found["SendBulkEmail calls"] == 202
