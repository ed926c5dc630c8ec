"""Counts are exact whatever the stream delivers again, in whatever batches."""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from rebound.application.count_results import CountResults
from rebound.application.ports import StatusChange
from rebound.domain.messages import MessageStatus
from tests.fakes.campaigns import MemoryTallyBook
from tests.fakes.making import CAMPAIGN_ID, message
from tests.fakes.messages import MemoryMessageLog
from tests.fakes.world import status_changes

STEPS = [
    MessageStatus.QUEUED,
    MessageStatus.SENDING,
    MessageStatus.UNCERTAIN,
    MessageStatus.SENT,
    MessageStatus.DELIVERED,
    MessageStatus.BOUNCED,
]


@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(1, 3)), max_size=40),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
def test_whatever_comes_twice_in_whatever_batches_the_counts_are_those_of_the_rows(
    moves: list[tuple[int, int]], shards: int, chance: random.Random
) -> None:
    log, tallies = MemoryMessageLog(shards), MemoryTallyBook()
    at_step: Counter[int] = Counter()
    for number, forward in moves:
        at_step[number] = min(at_step[number] + forward, len(STEPS) - 1)
        log.record([message(number, STEPS[at_step[number]])])
    count = CountResults(tallies)
    while (batch := log.stream.deliver(chance)) is not None:
        count(batch[0], status_changes(batch[1]))
        count(batch[0], status_changes(batch[1]))
    rows = Counter(row.status for row in log.rows.values())
    del rows[MessageStatus.QUEUED], rows[MessageStatus.SENDING]

    assert dict(tallies.counts(CAMPAIGN_ID)) == dict(rows)


def change(
    position: int, before: MessageStatus | None, after: MessageStatus, reason: str | None = None
) -> StatusChange:
    return StatusChange(str(position), CAMPAIGN_ID, before, after, reason)


def test_who_is_left_out_is_counted_by_reason() -> None:
    tallies = MemoryTallyBook()
    CountResults(tallies)(
        "s",
        [
            change(1, None, MessageStatus.EXCLUDED, "opted_out"),
            change(2, None, MessageStatus.EXCLUDED, "opted_out"),
            change(3, None, MessageStatus.EXCLUDED, "no_address"),
        ],
    )

    assert tallies.counts(CAMPAIGN_ID) == {"excluded:opted_out": 2, "excluded:no_address": 1}


def test_positions_are_compared_as_numbers() -> None:
    tallies = MemoryTallyBook()
    count = CountResults(tallies)
    count("s", [change(9, None, MessageStatus.SENT)])
    count("s", [change(10, None, MessageStatus.SENT)])

    assert tallies.counts(CAMPAIGN_ID) == {"sent": 2}


def test_campaigns_and_shards_are_counted_apart() -> None:
    tallies = MemoryTallyBook()
    count = CountResults(tallies)
    other = StatusChange("5", "other", None, MessageStatus.SENT, None)
    count("a", [change(5, None, MessageStatus.SENT), other])
    count("b", [change(4, None, MessageStatus.SENT)])

    assert (tallies.counts(CAMPAIGN_ID), tallies.counts("other")) == ({"sent": 2}, {"sent": 1})


def test_a_write_that_changes_no_status_counts_nothing() -> None:
    tallies = MemoryTallyBook()
    CountResults(tallies)("s", [change(1, MessageStatus.SENT, MessageStatus.SENT)])

    assert tallies.counts(CAMPAIGN_ID) == {}
