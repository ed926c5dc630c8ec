"""Counts are exact whatever the stream delivers again, in whatever batches."""

import random
from collections import Counter
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from rebound.campaigns.application.count_results import CountResults, TripBreaker
from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.messages.domain.messages import MessageStatus, StatusChange
from tests.contract.campaigns.fakes import MemoryCampaignBook, MemoryTallyBook
from tests.contract.messages.fakes import MemoryMessageLog, labels_of_message, status_changes
from tests.fakes.making import BUSINESS_ID, CAMPAIGN_ID, campaign, message


def counting(tallies: MemoryTallyBook) -> CountResults:
    return CountResults(tallies=tallies, breaker=TripBreaker(campaigns=MemoryCampaignBook(), tallies=tallies))


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
    count = counting(tallies)
    while (batch := log.stream.deliver(chance)) is not None:
        count(batch[0], status_changes(batch[1]))
        count(batch[0], status_changes(batch[1]))
    expected = Counter(label for row in log.rows.values() for label in labels_of_message(row))

    assert tallies.counts(CAMPAIGN_ID) == dict(expected)


def change(position: int, before: Iterable[str], after: Iterable[str], campaign_id: str = CAMPAIGN_ID) -> StatusChange:
    return StatusChange(str(position), BUSINESS_ID, campaign_id, frozenset(before), frozenset(after))


def test_who_is_left_out_is_counted_by_reason() -> None:
    tallies = MemoryTallyBook()
    counting(tallies)(
        "s",
        [
            change(1, [], ["excluded:opted_out"]),
            change(2, [], ["excluded:opted_out"]),
            change(3, [], ["excluded:no_address"]),
        ],
    )

    assert tallies.counts(CAMPAIGN_ID) == {"excluded:opted_out": 2, "excluded:no_address": 1}


def test_positions_are_compared_as_numbers() -> None:
    tallies = MemoryTallyBook()
    count = counting(tallies)
    count("s", [change(9, [], ["sent"])])
    count("s", [change(10, [], ["sent"])])

    assert tallies.counts(CAMPAIGN_ID) == {"sent": 2}


def test_campaigns_and_shards_are_counted_apart() -> None:
    tallies = MemoryTallyBook()
    count = counting(tallies)
    count("a", [change(5, [], ["sent"]), change(5, [], ["sent"], "other")])
    count("b", [change(4, [], ["sent"])])

    assert (tallies.counts(CAMPAIGN_ID), tallies.counts("other")) == ({"sent": 2}, {"sent": 1})


def test_a_write_that_changes_no_label_counts_nothing() -> None:
    tallies = MemoryTallyBook()
    counting(tallies)("s", [change(1, ["sent"], ["sent"])])

    assert tallies.counts(CAMPAIGN_ID) == {}


def test_the_breaker_looks_also_when_who_counted_died_before_it_did() -> None:
    campaigns, tallies = MemoryCampaignBook(), MemoryTallyBook()
    campaigns.add(campaign(status=CampaignStatus.SENDING))
    batch = [change(n, ["sent"], ["failed", "final", "fault"]) for n in range(10)]
    deaf = CountResults(tallies=tallies, breaker=TripBreaker(campaigns=MemoryCampaignBook(), tallies=tallies))
    deaf("s", batch)
    CountResults(tallies=tallies, breaker=TripBreaker(campaigns=campaigns, tallies=tallies))("s", batch)

    assert tallies.counts(CAMPAIGN_ID)["fault"] == 10
    assert campaigns.get(BUSINESS_ID, CAMPAIGN_ID).status is CampaignStatus.PAUSED
