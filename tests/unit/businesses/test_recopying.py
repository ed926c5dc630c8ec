"""After a change of policy the copies of flags end as the policy in force says, whatever races, dies or comes twice."""

from copy import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.businesses.domain.business import Recopying
from rebound.contacts.domain.reachability import (
    STANDARD_POLICY,
    STRICT_POLICY,
    Cleared,
    ClearedBy,
    Failure,
    ReachabilityPolicy,
    policy_of,
)
from rebound.customers.application import copy_flags
from rebound.kernel.channels import Channel
from rebound.kernel.events import ContactInvalidated
from rebound.kernel.provider_codes import Provider
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX, at, contact_key, customer, id_of
from tests.fakes.streams import written
from tests.fakes.watching import Turns, WorkerDiedError
from tests.fakes.world import Chaos, World, always

FULL = Failure(at(1), "m1", Provider.SES, "Transient/MailboxFull")
GONE = Failure(at(2), "m2", Provider.SES, NO_SUCH_MAILBOX)
OUT_OF_REACH = Failure(at(3), "m3", Provider.TWILIO, "30003")
ONCE = policy_of("custom", {"unreachable": 1})
NEVER = policy_of("custom", {})
POLICIES = (STANDARD_POLICY, STRICT_POLICY, ONCE, NEVER)


def crowd(seed: int = 0, size: int = 3) -> World:
    """Each third has a full mailbox, each third no mailbox; every second phone was out of reach once."""
    world = World(seed=seed)
    for number in range(1, size + 1):
        world.add(customer(number))
        if number % 3 < 2:
            world.know(contact_key(number), FULL if number % 3 else GONE)
        if number % 2:
            world.know(contact_key(number, Channel.SMS), OUT_OF_REACH)
    world.rest()
    return world


def choose(world: World, policy: ReachabilityPolicy) -> None:
    world.settings_of_business.change(BUSINESS_ID, {"policy": policy})


def flags(world: World) -> dict[str, tuple[bool, bool]]:
    return {c.customer_id: (c.failed_email, c.failed_phone) for c in world.customers.rows.values()}


def verdicts(world: World) -> dict[str, tuple[bool, bool]]:
    """What the policy in force says of each customer's contacts."""
    policy = world.settings_of_business.get(BUSINESS_ID).policy

    def verdict(number_of: Channel, customer_id: str) -> bool:
        key = world.customers.rows[BUSINESS_ID, customer_id].contact_key(number_of)
        return key is not None and world.contacts.get_many([key])[key].verdict(policy).invalid

    ids = [customer_id for _, customer_id in world.customers.rows]
    return {id_: (verdict(Channel.EMAIL, id_), verdict(Channel.SMS, id_)) for id_ in ids}


def waiting(world: World) -> list[Recopying]:
    return [message.body for message in world.recopy_queue.queue.messages.values()]


@pytest.mark.parametrize("policy", POLICIES, ids=["standard", "strict", "unreachable-once", "never"])
def test_flags_follow_a_policy_without_new_receipts_and_back(policy: ReachabilityPolicy) -> None:
    world = crowd(size=7)
    before = flags(world)
    assert before == verdicts(world)
    choose(world, policy)
    world.rest()
    followed = flags(world)
    assert followed == verdicts(world)
    assert (followed == before) is (policy is STANDARD_POLICY)
    choose(world, STANDARD_POLICY)
    world.rest()

    assert flags(world) == before


def test_a_copying_is_due_when_a_policy_is_named_even_the_same_and_never_otherwise() -> None:
    world = World()
    world.settings_of_business.change(BUSINESS_ID, {"name": "New"})
    assert waiting(world) == []
    choose(world, STANDARD_POLICY)

    assert waiting(world) == [Recopying(BUSINESS_ID)]


def test_the_settings_are_written_before_the_copying_is_enqueued() -> None:
    world = World()
    seen: list[str] = []
    world.checkpoint = seen.append
    choose(world, STRICT_POLICY)

    assert seen.index("businesses.replace") < seen.index("recopy_queue.put")


def test_only_flags_that_differ_are_written() -> None:
    world = crowd(size=6)
    versions = {id_: c.version for (_, id_), c in world.customers.rows.items()}
    before = flags(world)
    choose(world, STRICT_POLICY)
    world.rest()
    after = flags(world)
    once = {id_: c.version for (_, id_), c in world.customers.rows.items()}
    choose(world, STRICT_POLICY)
    world.rest()

    changed = {id_ for id_ in before if before[id_] != after[id_]}
    assert changed
    assert {id_ for id_ in versions if versions[id_] != once[id_]} == changed
    assert {id_: c.version for (_, id_), c in world.customers.rows.items()} == once


def test_a_change_of_policy_publishes_nothing_and_later_evidence_is_told_under_the_policy_in_force() -> None:
    world = crowd(size=6)
    world.domain_events.published.clear()
    choose(world, NEVER)
    world.rest()
    choose(world, ONCE)
    world.rest()
    assert world.domain_events.published == []
    world.know(contact_key(2, Channel.SMS), OUT_OF_REACH)
    world.rest()

    [told] = world.domain_events.published
    assert isinstance(told, ContactInvalidated)
    assert told.reason == "text:unreachable_handset"


def test_it_stops_when_its_time_is_up_and_goes_on_from_its_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy_flags, "PAGE", 2)
    world = crowd(size=7)
    choose(world, STRICT_POLICY)
    sizes: list[int] = []
    page = world.customers.page

    def counted(business_id: str, *, limit: int, cursor: str | None = None, matching: None = None) -> object:
        found = page(business_id, limit=limit, cursor=cursor, matching=matching)
        sizes.append(len(found.items))
        return found

    monkeypatch.setattr(world.customers, "page", counted)
    steps = 0
    while world.recopy_queue.queue.messages:
        [(name, message)] = world.recopy_queue.queue.messages.items()
        world.recopy_flags(message.body, lambda: False)
        world.recopy_queue.queue.delete(name)
        steps += 1

    assert (steps, sizes) == (4, [2, 2, 2, 1])
    assert flags(world) == verdicts(world)


def test_when_the_policy_has_changed_by_the_end_it_begins_again_although_nobody_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(copy_flags, "PAGE", 2)
    world = crowd(size=7)
    choose(world, STRICT_POLICY)
    [(name, message)] = world.recopy_queue.queue.messages.items()
    world.recopy_flags(message.body, lambda: False)
    world.recopy_queue.queue.delete(name)
    # A change whose own copying was never enqueued, because the API died in between.
    stored = world.businesses.get(BUSINESS_ID)
    world.businesses.replace(replace(stored, policy=ONCE))
    world.rest()

    assert flags(world) == verdicts(world)


def test_a_business_that_is_gone_needs_no_flags() -> None:
    world = World()
    world.recopy_flags(Recopying("gone"), always)

    assert waiting(world) == []


def test_a_rename_that_was_decided_before_a_change_of_policy_does_not_undo_it() -> None:
    world = crowd(size=3)
    changed = False

    def change_first(where: str) -> None:
        nonlocal changed
        if where == "businesses.replace" and not changed:
            changed = True
            choose(world, STRICT_POLICY)

    world.checkpoint = change_first
    world.settings_of_business.change(BUSINESS_ID, {"name": "New"})
    stored = world.settings_of_business.get(BUSINESS_ID)

    assert (stored.name, stored.policy) == ("New", STRICT_POLICY)


def test_a_slow_copy_of_a_contacts_change_does_not_bring_back_the_old_policys_flag() -> None:
    world = World()
    world.add(customer(1))
    world.know(contact_key(1), FULL)
    [*_, change] = world.contacts.stream.take()
    changed = False

    def change_policy_before_the_copy(where: str) -> None:
        nonlocal changed
        if where == "customers.copy_flag" and not changed:
            changed = True
            choose(world, STRICT_POLICY)
            [(_, message)] = world.recopy_queue.queue.messages.items()
            world.recopy_flags(message.body, always)

    world.checkpoint = change_policy_before_the_copy
    world.project_contacts(written(change))

    assert changed
    assert flags(world) == {id_of(1): (False, False)}
    assert world.domain_events.published == []


def test_a_copy_of_a_contacts_change_that_comes_again_after_a_death_mends_what_it_left() -> None:
    world = World()
    world.add(customer(1))
    world.know(contact_key(1), FULL)
    [*_, change] = world.contacts.stream.take()
    told = written(change)
    reached: list[str] = []

    def change_policy_before_the_copy_and_die_after_it(where: str) -> None:
        if where != "customers.copy_flag":
            return
        reached.append(where)
        if len(reached) == 1:
            choose(world, STRICT_POLICY)
            [(_, message)] = world.recopy_queue.queue.messages.items()
            world.recopy_flags(message.body, always)
        else:
            raise WorkerDiedError(where)

    world.checkpoint = change_policy_before_the_copy_and_die_after_it
    with pytest.raises(WorkerDiedError):
        world.project_contacts(told)
    assert flags(world) == {id_of(1): (True, False)}, "what the dead one left"
    world.checkpoint = reached.append
    world.project_contacts(told)

    assert flags(world) == {id_of(1): (False, False)}


@pytest.mark.parametrize("what", ["policy", "contact"])
def test_a_slow_copying_does_not_end_with_what_has_changed_meanwhile(what: str) -> None:
    world = World()
    world.add(customer(1))
    world.know(contact_key(1), FULL)
    world.rest()
    choose(world, STRICT_POLICY)
    world.rest()
    choose(world, STANDARD_POLICY)
    [(name, slow)] = world.recopy_queue.queue.messages.items()
    world.recopy_queue.queue.delete(name)
    changed = False

    def change_before_the_copy(where: str) -> None:
        nonlocal changed
        if where == "customers.copy_flag" and not changed:
            changed = True
            if what == "policy":
                choose(world, STRICT_POLICY)
            else:
                world.know(contact_key(1), Cleared(at(9), ClearedBy.DELIVERY, "m9"))
            world.rest()

    world.checkpoint = change_before_the_copy
    world.recopy_flags(slow.body, always)

    assert changed
    assert flags(world) == {id_of(1): (False, False)}


@pytest.mark.parametrize("importing", [False, True], ids=["edit", "import"])
def test_a_customer_who_is_saved_while_the_policy_changes_has_the_new_policys_flag(importing: bool) -> None:
    world = World()
    world.add(customer(1))
    world.know(contact_key(1), FULL)
    world.rest()
    changed = False

    def change_policy_before_the_save(where: str) -> None:
        nonlocal changed
        if where in {"customers.save", "import_ledger.commit"} and not changed:
            changed = True
            choose(world, STRICT_POLICY)
            [(name, message)] = world.recopy_queue.queue.messages.items()
            world.recopy_flags(message.body, always)
            world.recopy_queue.queue.delete(name)

    world.checkpoint = change_policy_before_the_save
    profile = {"first_name": "Bea", "last_name": "Silva", "email": "ana1@example.com"}
    if importing:
        view, _ = world.start_import(BUSINESS_ID, "csv", "first_name,last_name,email\nBea,Silva,ana1@example.com\n")
        assert world.run_import(view.job.import_id).counts.created == 1
    else:
        world.customer_service.create(BUSINESS_ID, profile)

    assert changed
    assert len(flags(world)) == 2
    assert flags(world) == verdicts(world)


@settings(max_examples=60)
@given(st.integers(0, 1 << 20), st.sampled_from(POLICIES), st.sampled_from(POLICIES))
def test_changes_of_policy_receipts_and_edits_that_race_end_with_the_flags_of_the_policy_in_force(
    seed: int, one: ReachabilityPolicy, two: ReachabilityPolicy
) -> None:
    world = crowd(seed, size=4)
    turns = Turns(seed)
    world.checkpoint = turns.checkpoint

    def recopy() -> None:
        for _ in range(4):
            world._recopy_some()

    def learn() -> None:
        world.know(contact_key(2), Cleared(at(5), ClearedBy.DELIVERY, "m5"))
        world.pump_streams()
        world.know(contact_key(2), replace(FULL, at=at(6), message_id="m6"))
        world.know(contact_key(4, Channel.SMS), replace(OUT_OF_REACH, at=at(6), message_id="m6"))
        world.pump_streams()

    def edit() -> None:
        world.customer_service.change(BUSINESS_ID, id_of(4), {"email": "ana1@example.com"})
        world.customer_service.create(BUSINESS_ID, {"first_name": "B", "last_name": "S", "email": "ana3@example.com"})

    turns.run([lambda: choose(world, one), lambda: choose(world, two), recopy, recopy, learn, edit])
    world.rest()

    assert world.settings_of_business.get(BUSINESS_ID).policy in (one, two)
    assert flags(world) == verdicts(world)


@settings(max_examples=40)
@given(st.integers(0, 1 << 20), st.lists(st.sampled_from(POLICIES), min_size=1, max_size=3))
def test_workers_that_die_and_messages_that_come_twice_change_nothing(
    seed: int, chosen: list[ReachabilityPolicy]
) -> None:
    world = crowd(seed, size=6)
    world.chaos = Chaos(death=0.1, duplicate=0.3)
    for policy in chosen:
        choose(world, policy)
        for _ in range(world.random.randrange(4)):
            world._recopy_some()
            world.clock.move(timedelta(minutes=world.random.choice([0, 7])))
    world.rest()

    assert waiting(world) == []
    assert flags(world) == verdicts(world)
