"""Counts are exact whatever the stream delivers again, in whatever batches."""

import random
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from rebound.campaigns.application.count_results import CountResults, TripBreaker
from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.campaigns.domain.over_time import added, results_over_time
from rebound.messages.domain.messages import MessageStatus, StatusChange
from rebound.messages.domain.spans import beginning_of
from tests.contract.campaigns.fakes import MemoryCampaignBook, MemoryTallyBook
from tests.contract.messages.fakes import MemoryMessageLog, labels_of_message, status_changes
from tests.fakes.making import BUSINESS_ID, CAMPAIGN_ID, RUN_ID, at, campaign, message


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
HANDED_OVER = STEPS[2:]
SECONDS = [-90_000, -400, 0, 250, 5_000, 100_000, 1_000_000, 10_000_000]
"""Times of events, also such as are earlier than those of events that came before them."""


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
        times = {name: at(chance.choice(SECONDS)) for name in ("sent_at", "delivered_at", "failed_at")}
        log.record([message(number, STEPS[at_step[number]], **times)])
    count = counting(tallies)
    while (batch := log.stream.deliver(chance)) is not None:
        count(batch[0], status_changes(batch[1]))
        count(batch[0], status_changes(batch[1]))
    expected = Counter(label for row in log.rows.values() for label in labels_of_message(row))

    counts = tallies.counts(CAMPAIGN_ID)
    assert counts == dict(expected)
    over_time = results_over_time(counts, RUN_ID)
    assert over_time is not None
    for status in HANDED_OVER:
        assert sum(span.results.get(status, 0) for span in over_time) == counts.get(status, 0)


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


def test_results_have_the_time_of_the_event_and_not_that_of_the_change() -> None:
    log, tallies = MemoryMessageLog(1), MemoryTallyBook()
    began = beginning_of(RUN_ID)
    log.record(
        [
            message(1, MessageStatus.DELIVERED, sent_at=began, delivered_at=began + timedelta(minutes=7)),
            message(2, MessageStatus.BOUNCED, sent_at=began, failed_at=began + timedelta(days=3)),
            message(3, MessageStatus.SENT, sent_at=began + timedelta(minutes=9)),
            message(4, MessageStatus.UNCERTAIN, queued_at=began + timedelta(hours=5)),
            # A complaint proves that it was delivered, and does not say when.
            message(5, MessageStatus.DELIVERED, sent_at=began),
            message(6, MessageStatus.CANCELLED),
            message(7, MessageStatus.EXCLUDED, reason="opted_out"),
        ]
    )
    while (batch := log.stream.deliver(random.Random(1))) is not None:  # noqa: S311
        counting(tallies)(batch[0], status_changes(batch[1]))
    over_time = results_over_time(tallies.counts(CAMPAIGN_ID), RUN_ID) or ()

    assert [(span.since - began, span.until and span.until - span.since, dict(span.results)) for span in over_time] == [
        (timedelta(), timedelta(minutes=5), {MessageStatus.DELIVERED: 1}),
        (timedelta(minutes=5), timedelta(minutes=5), {MessageStatus.DELIVERED: 1, MessageStatus.SENT: 1}),
        (timedelta(hours=5), timedelta(hours=1), {MessageStatus.UNCERTAIN: 1}),
        (timedelta(days=3), timedelta(days=1), {MessageStatus.BOUNCED: 1}),
    ]


def test_what_a_former_version_counted_has_no_times() -> None:
    assert results_over_time({"sent": 2, "delivered": 1, "delivered@3": 1}, RUN_ID) is None
    assert results_over_time({"delivered": 1, "delivered@3": 1, "cancelled": 2}, RUN_ID) is not None
    assert results_over_time({}, None) == ()


def test_results_of_several_campaigns_are_added_span_by_span() -> None:
    one = results_over_time({"delivered": 3, "delivered@0": 1, "delivered@2": 2}, RUN_ID)
    other = results_over_time({"delivered": 4, "delivered@2": 4, "failed": 1, "failed@109": 1}, RUN_ID)
    together = added([one, other]) or ()
    assert [dict(span.results) for span in together] == [{"delivered": 1}, {"delivered": 6}, {"failed": 1}]
    assert added([one, None]) is None
