"""The nightly comparison repairs every kind of drift, whatever stops it, and finds nothing the second time."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import STANDARD_POLICY, Cleared, ClearedBy, Failure
from rebound.contacts.domain.suppressions import Drift
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import ComeAgainError, NotAnsweredError
from rebound.kernel.provider_codes import Provider
from rebound.messages.domain.messages import MessageStatus
from rebound.receipts.domain import Reconciliation
from tests.fakes.making import NO_SUCH_MAILBOX, at, business, contact_key, customer, message, message_key
from tests.fakes.watching import WorkerDiedError
from tests.fakes.world import World

NIGHT = timedelta(hours=8)
OPTED_IN = ConsentEvidence(at(5), Scope.MARKETING, opted_out=False, source=ConsentSource.PROVIDER)


def contact(world: World, number: int = 1) -> Contact:
    return world.contacts.rows[contact_key(number)]


def flagged(world: World, number: int = 1) -> bool:
    return contact(world, number).verdict(STANDARD_POLICY).invalid


def world_of(customers: int = 1) -> World:
    world = World()
    world.add(*(customer(number) for number in range(1, customers + 1)))
    return world


def nothing_left(world: World) -> bool:
    """Whether a second run finds nothing that can be repaired."""
    drift = world.reconcile_suppressions("second", NIGHT).drift
    return not {kind for kind, count in drift.items() if count} - {Drift.COMPLAINT_BEFORE_OPT_IN}


def test_an_entry_of_an_address_that_was_cleared_since_is_removed() -> None:
    world = world_of()
    world.know(contact_key(1), Cleared(at(9), ClearedBy.EDIT))
    world.suppressions.put("Ana1@Example.com")

    assert world.reconcile_suppressions("one", NIGHT) == Reconciliation(
        "one", None, 1, {Drift.STALE_ENTRY: 1}, done=True
    )
    assert world.suppressions.entries == {}
    assert nothing_left(world)


def test_an_entry_of_an_address_that_was_delivered_to_since_is_removed_although_that_stands_in_the_log_only() -> None:
    world = world_of()
    delivered = message(1, MessageStatus.DELIVERED, delivered_at=at(9))
    world.messages.record_new([delivered])
    world.suppressions.put("ana1@example.com")

    assert world.reconcile_suppressions("one", NIGHT).drift == {Drift.STALE_ENTRY: 1}
    assert not flagged(world)


def test_an_entry_that_is_news_flags_at_its_date_and_stays() -> None:
    world = world_of()
    world.suppressions.put("ana1@example.com", at=at(-9))

    assert world.reconcile_suppressions("one", NIGHT).drift == {Drift.UNKNOWN_BOUNCE: 1}
    assert contact(world).verdict(STANDARD_POLICY).since == at(-9)
    assert set(world.suppressions.entries) == {"ana1@example.com"}
    assert nothing_left(world)


def test_a_complaint_that_is_news_opts_out_and_stays() -> None:
    world = world_of()
    world.suppressions.put("ana1@example.com", "COMPLAINT", at(-9))

    assert world.reconcile_suppressions("one", NIGHT).drift == {Drift.UNKNOWN_COMPLAINT: 1}
    assert contact(world).consent.opted_out == (Scope.MARKETING,)
    assert set(world.suppressions.entries) == {"ana1@example.com"}
    assert nothing_left(world)


def test_a_complaint_before_an_opt_in_is_told_every_time_and_changes_nothing() -> None:
    world = world_of()
    world.know(contact_key(1), OPTED_IN)
    world.suppressions.put("ana1@example.com", "COMPLAINT")
    before = contact(world)

    for run in ("one", "two"):
        assert world.reconcile_suppressions(run, NIGHT).drift == {Drift.COMPLAINT_BEFORE_OPT_IN: 1}
    assert contact(world) == before
    assert set(world.suppressions.entries) == {"ana1@example.com"}


def test_addresses_that_nobody_of_ours_uses_are_left_alone() -> None:
    world = world_of()
    for reason, address in (("BOUNCE", "stranger@example.com"), ("COMPLAINT", "other@example.com")):
        world.suppressions.put(address, reason)
    before = dict(world.contacts.rows)

    assert world.reconcile_suppressions("one", NIGHT).drift == {}
    assert len(world.suppressions.entries) == 2
    assert world.contacts.rows == before


def test_every_business_with_the_address_learns_of_an_entry_before_it_goes() -> None:
    world = World(business(), business(business_id="studio"))
    world.add(customer(1), customer(2, business_id="studio", email="ana1@example.com"))
    world.know(contact_key(1), Cleared(at(9), ClearedBy.CONFIRMATION))
    world.suppressions.put("ana1@example.com")

    assert world.reconcile_suppressions("one", NIGHT).drift == {Drift.STALE_ENTRY: 1, Drift.UNKNOWN_BOUNCE: 1}
    assert world.suppressions.entries == {}
    assert not flagged(world)
    assert world.contacts.rows[ContactKey("studio", Channel.EMAIL, "ana1@example.com")].reachability.failures


def test_without_time_it_stops_and_goes_on_where_it_was() -> None:
    world = world_of(30)
    for number in range(1, 31):
        world.know(contact_key(number), Cleared(at(9), ClearedBy.EDIT))
        world.suppressions.put(f"ana{number}@example.com")
    first = world.reconcile_suppressions("one", timedelta(seconds=20))

    assert not first.done
    assert 5 < 30 - len(world.suppressions.entries) == first.drift[Drift.STALE_ENTRY] < 30
    while not (last := world.reconcile_suppressions("one", timedelta(seconds=20))).done:
        pass
    assert last.drift == {Drift.STALE_ENTRY: 30}
    assert world.suppressions.entries == {}


def test_a_list_that_may_not_be_asked_fails_the_run() -> None:
    world = world_of()
    world.suppressions.troubles = [NotAnsweredError("AccessDeniedException")]

    with pytest.raises(NotAnsweredError):
        world.reconcile_suppressions("one", NIGHT)


def test_a_list_that_there_is_not_yet_is_said_to_be_unavailable_until_there_is() -> None:
    world = world_of()
    world.suppressions.production_access = False
    world.suppressions.put("ana1@example.com")
    in_sandbox = world.reconcile_suppressions("one", NIGHT)
    world.suppressions.production_access = True
    after = world.reconcile_suppressions("one", NIGHT)

    assert (in_sandbox.done, in_sandbox.unavailable, in_sandbox.entries) == (True, True, 0)
    assert (after.done, after.unavailable, after.entries) == (True, False, 1)


def test_ten_thousand_entries_take_ten_calls_and_two_for_each_that_is_removed() -> None:
    world = world_of(120)
    for number in range(10_000):
        world.suppressions.put(f"ana{number}@example.com" if 0 < number <= 120 else f"x{number}@example.com")
    for number in range(1, 101):
        world.know(contact_key(number), Cleared(at(9), ClearedBy.EDIT))
    began = world.clock.now()
    found = world.reconcile_suppressions("one", NIGHT)

    assert (found.entries, found.drift) == (10_000, {Drift.STALE_ENTRY: 100, Drift.UNKNOWN_BOUNCE: 20})
    assert world.suppressions.calls == {"page": 10, "get": 100, "remove": 100}
    assert world.clock.now() - began == timedelta(seconds=209)
    assert nothing_left(world)


KNOWN = st.one_of(
    st.builds(lambda n: Cleared(at(n), ClearedBy.EDIT), st.integers(-9, 9)),
    st.builds(lambda n, code: Failure(at(n), "m1", Provider.SES, code), st.integers(-9, 9),
              st.sampled_from([NO_SUCH_MAILBOX, "Transient/MailboxFull"])),
    st.builds(lambda n, out, scope: ConsentEvidence(at(n), scope, opted_out=out, source=ConsentSource.PROVIDER),
              st.integers(-9, 9), st.booleans(), st.sampled_from(Scope)),
)  # fmt: skip
ENTRY = st.tuples(st.sampled_from(["BOUNCE", "COMPLAINT"]), st.integers(-9, 9), st.booleans())


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.lists(KNOWN, max_size=4), st.none() | st.integers(-9, 9), ENTRY), min_size=1, max_size=6),
    st.integers(0, 60),
    st.integers(1, 30),
    st.integers(1, 4),
)
def test_wherever_it_dies_or_is_throttled_the_end_is_the_same_and_a_second_run_finds_nothing(
    people: list[tuple[list[Cleared | Failure | ConsentEvidence], int | None, tuple[str, int, bool]]],
    dies_after: int,
    seconds: int,
    page_size: int,
) -> None:
    def prepared() -> World:
        world = World()
        world.suppressions.page_size = page_size
        for number, (known, delivered, (reason, when, capital)) in enumerate(people, 1):
            world.add(customer(number))
            world.know(contact_key(number), *known)
            if delivered is not None:
                row = message(number, MessageStatus.DELIVERED, key=message_key(number), delivered_at=at(delivered))
                world.messages.record_new([row])
            world.suppressions.put(f"{'A' if capital else 'a'}na{number}@example.com", reason, at(when))
        return world

    calm, stormy = prepared(), prepared()
    assert calm.reconcile_suppressions("one", NIGHT).done
    left = dies_after

    def storm(_: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise WorkerDiedError

    stormy.checkpoint = storm
    stormy.suppressions.troubles = [ComeAgainError()] * (dies_after % 4)
    for _ in range(200):
        try:
            if stormy.reconcile_suppressions("one", timedelta(seconds=seconds + 2)).done:
                break
        except WorkerDiedError:
            continue
        stormy.clock.move(timedelta(seconds=1))
    else:
        raise AssertionError("it never ends")
    stormy.checkpoint = lambda _: None

    assert stormy.suppressions.entries == calm.suppressions.entries
    assert [contact(stormy, n).consent for n in range(1, len(people) + 1)] == [
        contact(calm, n).consent for n in range(1, len(people) + 1)
    ]
    assert [contact(stormy, n).reachability for n in range(1, len(people) + 1)] == [
        contact(calm, n).reachability for n in range(1, len(people) + 1)
    ]
    assert nothing_left(stormy)
    complaints = {address for address, entry in prepared().suppressions.entries.items() if entry.reason == "COMPLAINT"}
    assert complaints <= set(stormy.suppressions.entries)
