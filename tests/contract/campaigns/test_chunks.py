"""Chunks, their claims and the progress of the expansion: one suite against the fakes and the tables."""

from copy import replace
from datetime import timedelta
from types import MappingProxyType

import pytest

from rebound.businesses.domain.quiet_hours import HoldReason
from rebound.campaigns.domain.chunks import ChunkKey, ChunkState, ClaimOutcome, Held
from rebound.kernel.audiences import Audience
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from tests.fakes.house import EveryPorts
from tests.fakes.making import (
    BUSINESS_ID,
    CAMPAIGN_ID,
    at,
    chunk,
    id_of,
)

LEASE = timedelta(seconds=90)


def names(count: int) -> list[str]:
    return [f"chunk#000#{n:07d}" for n in range(count)]


def test_progress_and_its_chunks_are_written_together_and_only_as_read(ports: EveryPorts) -> None:
    start = ports.expansion.get(CAMPAIGN_ID, 3)
    beyond = replace(
        start,
        cursor=id_of(1),
        carry=(id_of(5), id_of(6)),
        chunks=2,
        enqueued=1,
        audience=Audience(9, MappingProxyType({"opted_out": 2})),
        held=MappingProxyType({1: Held(at(3600), 40, 7)}),
        sharing=(id_of(6),),
    )
    written = ports.expansion.commit(beyond, [chunk(name) for name in names(2)])
    with pytest.raises(ConcurrentChangeError):
        ports.expansion.commit(
            replace(beyond, chunks=3), [chunk("chunk#000#0000009"), chunk(names(1)[0], recipients=1)]
        )

    assert (start.version, written.version) == (0, 1)
    assert ports.expansion.get(CAMPAIGN_ID, 3) == written
    assert [found.key.chunk for found in ports.chunks.page(CAMPAIGN_ID, None).items] == names(2)
    assert len(ports.chunks.page(CAMPAIGN_ID, None).items[0].customer_ids) == 3


def test_whom_a_page_left_out_is_kept_with_its_progress_or_not_at_all(ports: EveryPorts) -> None:
    pages: list[dict[str, tuple[str, ...]]] = [
        {"opted_out": (id_of(9), id_of(1)), "no_address": (id_of(4),)},
        {},
        {"no_address": tuple(id_of(n) for n in range(500))},
    ]
    for index in (10, 3):
        progress = ports.expansion.get(CAMPAIGN_ID, index)
        for left_out in pages:
            beyond = ports.expansion.commit(progress, [], left_out)
            with pytest.raises(ConcurrentChangeError):
                ports.expansion.commit(progress, [], {"not_found": (id_of(7),)})
            progress = beyond
    ports.expansion.commit(ports.expansion.get("other", 3), [], pages[0])
    kept = list(ports.expansion.left_out(CAMPAIGN_ID))

    assert [page.name for page in kept] == [
        "left-out#003#0000000", "left-out#003#0000002", "left-out#010#0000000", "left-out#010#0000002",
    ]  # fmt: skip
    assert [dict(page.by_reason) for page in kept] == [pages[0], pages[2]] * 2
    assert [list(page.by_reason) for page in kept[:1]] == [["opted_out", "no_address"]]
    for number, page in enumerate(kept):
        assert list(ports.expansion.left_out(CAMPAIGN_ID, page.name)) == kept[number:]
    assert ports.chunks.page(CAMPAIGN_ID, None).items == []
    assert len(ports.expansion.list(CAMPAIGN_ID)) == 2


def test_the_ranges_that_have_begun_are_listed(ports: EveryPorts) -> None:
    for index in (10, 2):
        ports.expansion.commit(replace(ports.expansion.get(CAMPAIGN_ID, index), done=index == 2))
    ports.expansion.commit(ports.expansion.get("other", 0))
    ports.chunks.add(chunk())
    ports.tallies.add(CAMPAIGN_ID, "s", {"sent": 1}, after=None, position="1")

    assert [(part.index, part.done) for part in ports.expansion.list(CAMPAIGN_ID)] == [(2, True), (10, False)]


def test_a_chunk_that_is_there_already_stays_as_it_is(ports: EveryPorts) -> None:
    ports.chunks.add(chunk())
    ports.chunks.claim(chunk().key, "me", at(0), LEASE)
    ports.chunks.add(chunk(recipients=1))
    (found,) = ports.chunks.page(CAMPAIGN_ID, None).items

    assert (found.state, len(found.customer_ids)) == (ChunkState.CLAIMED, 3)


def test_a_chunk_goes_its_way_from_pending_to_done(ports: EveryPorts) -> None:
    ports.chunks.add(chunk())
    outcome, mine = ports.chunks.claim(chunk().key, "me", at(0), LEASE)
    assert (outcome, mine.state, mine.owner, mine.attempts) == (ClaimOutcome.WORK, ChunkState.CLAIMED, "me", 1)
    assert (mine.leased_until, mine.remaining, mine.created_at) == (at(90), chunk().customer_ids, at(0))
    ports.chunks.mark(mine, at(1))
    assert ports.chunks.claim(chunk().key, "other", at(2), LEASE)[0] is ClaimOutcome.HELD
    ports.chunks.finish(mine)
    outcome, done = ports.chunks.claim(chunk().key, "other", at(2), LEASE)
    assert (outcome, done.state, done.remaining) == (ClaimOutcome.DONE, ChunkState.DONE, ())
    assert done.customer_ids == chunk().customer_ids


def test_a_chunk_that_is_put_back_is_work_again_for_those_who_remain(ports: EveryPorts) -> None:
    ports.chunks.add(chunk())
    _, mine = ports.chunks.claim(chunk().key, "me", at(0), LEASE)
    ports.chunks.mark(mine, at(1))
    ports.chunks.put_back(mine, [id_of(2)])
    outcome, again = ports.chunks.claim(chunk().key, "other", at(2), LEASE)

    assert (outcome, again.remaining, again.attempts) == (ClaimOutcome.WORK, (id_of(2),), 2)
    assert (again.customer_ids, again.not_before) == (chunk().customer_ids, None)


def test_a_chunk_remembers_who_waits_while_others_are_handed_over_and_until_when_it_waits(ports: EveryPorts) -> None:
    ports.chunks.add(chunk(not_before=at(60)))
    assert ports.chunks.page(CAMPAIGN_ID, None).items[0].not_before == at(60)
    _, dead = ports.chunks.claim(chunk().key, "dead", at(60), LEASE)
    ports.chunks.mark(dead, at(61), [id_of(2)])
    outcome, mine = ports.chunks.claim(chunk().key, "me", at(160), LEASE)
    assert (outcome, mine.waiting) == (ClaimOutcome.SETTLE, (id_of(2),))

    ports.chunks.put_back(mine, [id_of(2)], at(3600))
    [held] = ports.chunks.page(CAMPAIGN_ID, None).items
    assert (held.state, held.remaining, held.waiting) == (ChunkState.PENDING, (id_of(2),), ())
    assert held.not_before == at(3600)


def test_the_hours_for_which_a_campaign_waits_are_noted_once_each(ports: EveryPorts) -> None:
    assert not ports.chunks.holds(CAMPAIGN_ID)
    ports.chunks.note_holds(CAMPAIGN_ID, {at(60): HoldReason.QUIET_HOURS, at(0.5): HoldReason.SEND_AT})
    ports.chunks.note_holds(CAMPAIGN_ID, {at(60): HoldReason.QUIET_HOURS, at(120): HoldReason.SEND_AT})
    ports.chunks.note_holds("another", {at(180): HoldReason.SEND_AT})

    assert ports.chunks.holds(CAMPAIGN_ID) == {
        at(0.5): HoldReason.SEND_AT,
        at(60): HoldReason.QUIET_HOURS,
        at(120): HoldReason.SEND_AT,
    }
    assert not ports.chunks.page(CAMPAIGN_ID, None).items
    assert not ports.expansion.list(CAMPAIGN_ID)
    assert not ports.tallies.counts(CAMPAIGN_ID)


@pytest.mark.parametrize(("marked", "outcome"), [(False, ClaimOutcome.WORK), (True, ClaimOutcome.SETTLE)])
def test_a_lease_that_is_over_gives_the_chunk_to_the_next(
    ports: EveryPorts, marked: bool, outcome: ClaimOutcome
) -> None:
    ports.chunks.add(chunk())
    _, dead = ports.chunks.claim(chunk().key, "dead", at(0), LEASE)
    if marked:
        ports.chunks.mark(dead, at(1))
    assert ports.chunks.claim(chunk().key, "next", at(89.9), LEASE)[0] is ClaimOutcome.HELD
    found, mine = ports.chunks.claim(chunk().key, "next", at(90), LEASE)

    assert (found, mine.owner) == (outcome, "next")
    with pytest.raises(ConcurrentChangeError):
        ports.chunks.mark(dead, at(91))
    with pytest.raises(ConcurrentChangeError):
        ports.chunks.put_back(dead, [id_of(1)])
    ports.chunks.finish(dead)
    assert ports.chunks.claim(chunk().key, "third", at(91), LEASE)[0] is ClaimOutcome.HELD


def test_a_lease_that_is_over_cannot_be_marked_even_if_nobody_else_came(ports: EveryPorts) -> None:
    ports.chunks.add(chunk())
    _, mine = ports.chunks.claim(chunk().key, "me", at(0), LEASE)
    with pytest.raises(ConcurrentChangeError):
        ports.chunks.mark(mine, at(90))


def test_chunks_come_in_pages_in_order_and_without_their_neighbours(ports: EveryPorts) -> None:
    for name in reversed(names(45)):
        ports.chunks.add(chunk(name))
    ports.expansion.commit(ports.expansion.get(CAMPAIGN_ID, 0))
    ports.tallies.add(CAMPAIGN_ID, "s", {"sent": 1}, after=None, position="1")
    ports.chunks.add(replace(chunk(), key=ChunkKey(BUSINESS_ID, "other", names(1)[0])))
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(9):
        page = ports.chunks.page(CAMPAIGN_ID, cursor)
        seen.extend(found.key.chunk for found in page.items)
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == names(45)


@pytest.mark.parametrize("attempt", [1, 12, 345_678])
def test_a_chunk_of_those_who_fell_back_comes_right_behind_its_chunk_of_texts(ports: EveryPorts, attempt: int) -> None:
    texts = [chunk(name) for name in names(20)]
    fallback = replace(chunk(recipients=2), key=texts[18].key.fallback(attempt), attempts=attempt)
    for each in (texts[19], fallback, *texts[:19]):
        ports.chunks.add(each)
    first = ports.chunks.page(CAMPAIGN_ID, None)

    assert list(first.items) == [*texts[:19], fallback]
    assert [each.key.fell_back for each in first.items] == [None] * 19 + [attempt]
    assert list(ports.chunks.page(CAMPAIGN_ID, first.next_cursor).items) == [texts[19]]


def test_the_state_of_a_chunk_can_be_asked_for_by_itself(ports: EveryPorts) -> None:
    ports.chunks.add(chunk())
    _, claimed = ports.chunks.claim(chunk().key, "w", at(1), LEASE)

    assert ports.chunks.state(claimed.key) is ChunkState.CLAIMED
    assert ports.chunks.get(claimed.key) == claimed
    ports.chunks.finish(claimed)
    assert ports.chunks.state(claimed.key) is ChunkState.DONE
    assert ports.chunks.state(replace(claimed.key, chunk="chunk#000#0000099")) is None
    assert ports.chunks.get(replace(claimed.key, chunk="chunk#000#0000099")) is None


def test_a_chunk_knows_who_of_its_recipients_shares_an_address(ports: EveryPorts) -> None:
    shared = tuple(id_of(number) for number in (1, 17, 50))
    ports.chunks.add(chunk(recipients=50, sharing=shared))
    _, claimed = ports.chunks.claim(chunk().key, "me", at(0), LEASE)

    assert claimed.sharing == ports.chunks.page(CAMPAIGN_ID, None).items[0].sharing == shared


def test_only_a_finished_chunk_is_opened_again_and_says_so_until_it_is_claimed(ports: EveryPorts) -> None:
    ports.chunks.add(chunk())
    untouched = ports.chunks.reopen(chunk().key, [id_of(2)], at(1))
    _, claimed = ports.chunks.claim(chunk().key, "me", at(2), LEASE)
    ports.chunks.finish(claimed)
    opened = ports.chunks.reopen(chunk().key, [id_of(2)], at(3))
    again = ports.chunks.reopen(chunk().key, [id_of(3)], at(4))
    outcome, taken = ports.chunks.claim(chunk().key, "you", at(5), LEASE)

    assert (untouched.state, untouched.remaining, untouched.reopened_at) == (
        ChunkState.PENDING,
        chunk().customer_ids,
        None,
    )
    assert (opened.state, opened.remaining, opened.reopened_at) == (ChunkState.PENDING, (id_of(2),), at(3))
    assert again == opened
    assert (outcome, taken.remaining, taken.attempts, taken.reopened_at) == (ClaimOutcome.WORK, (id_of(2),), 2, None)
    with pytest.raises(NotFoundError):
        ports.chunks.reopen(ChunkKey(BUSINESS_ID, CAMPAIGN_ID, names(2)[1]), [id_of(2)], at(3))


def test_a_chunk_that_is_opened_again_waits_for_no_hour(ports: EveryPorts) -> None:
    ports.chunks.add(chunk(not_before=at(60)))
    _, claimed = ports.chunks.claim(chunk().key, "me", at(61), timedelta(minutes=5))
    ports.chunks.finish(replace(claimed, not_before=at(60)))
    opened = ports.chunks.reopen(chunk().key, [id_of(1)], at(70))

    assert opened.not_before is None
    outcome, taken = ports.chunks.claim(chunk().key, "me", at(71), timedelta(minutes=5))
    assert (outcome, taken.not_before) == (ClaimOutcome.WORK, None)
