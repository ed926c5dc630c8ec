"""Flags on customers and domain events follow the contacts."""

from copy import replace

from hypothesis import given
from hypothesis import strategies as st

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.history import ConsentStated, FlagChanged, HistoryEntry
from rebound.contacts.domain.reachability import Cleared, ClearedBy, Evidence, Failure
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.events import (
    ConsentChanged,
    ContactInvalidated,
    ContactOptedIn,
    ContactOptedOut,
    ContactRestored,
)
from rebound.kernel.pages import RowChange
from rebound.kernel.provider_codes import Provider, look_up
from tests.fakes import strategies
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX, at, bare, business, contact_key, customer, id_of
from tests.fakes.streams import written
from tests.fakes.world import World

BOUNCE = Failure(at(1), "m1", Provider.SES, NO_SUCH_MAILBOX)


@given(st.lists(strategies.evidence, max_size=8), st.integers(0, 1 << 20))
def test_the_flags_on_customers_end_as_the_contacts_say_whatever_is_delivered_again(
    evidence: list[Evidence], seed: int
) -> None:
    world = World(seed=seed)
    world.add(customer(1), customer(2, email="ana1@example.com"), customer(3))
    for item in evidence:
        world.know(contact_key(1), item)
        if world.random.random() < 0.3:
            world.pump_streams()
    world.pump_streams()
    invalid = world.contacts.rows[contact_key(1)].verdict(business().policy).invalid

    assert [world.customers.get(BUSINESS_ID, id_of(n)).failed_email for n in (1, 2, 3)] == [invalid, invalid, False]


def test_an_address_that_turns_out_bad_and_good_again_is_told_once_each() -> None:
    world = World()
    world.add(customer(1))
    world.know(contact_key(1), BOUNCE)
    world.know(contact_key(1), replace(BOUNCE, at=at(2), message_id="m2"))
    world.know(contact_key(1), Cleared(at(3), ClearedBy.DELIVERY))
    for change in world.contacts.stream.take():
        world.project_contacts(written(change))
    told = world.domain_events.published

    assert [type(event) for event in told] == [ContactInvalidated, ContactRestored]
    assert bare(told[0]) == ContactInvalidated(
        BUSINESS_ID, Channel.EMAIL, (id_of(1),), "bounce:mailbox_does_not_exist", at(1), 2, "change-3"
    )


def test_a_customer_who_has_moved_away_keeps_their_own_flag() -> None:
    world = World()
    world.add(customer(1))
    moved = replace(world.customers.get(BUSINESS_ID, id_of(1)), email="new@example.com")
    world.customers.save([moved], [])
    world.know(contact_key(1), BOUNCE)
    world.pump_streams()

    assert not world.customers.get(BUSINESS_ID, id_of(1)).failed_email


def test_who_is_new_to_a_flagged_address_has_its_flag_from_the_start() -> None:
    world = World()
    world.add(customer(1))
    world.know(contact_key(1), BOUNCE)
    profile = {"first_name": "Bea", "last_name": "Silva", "email": "ana1@example.com"}

    assert world.customer_service.create(BUSINESS_ID, profile).customer.failed_email


def opted_out(seconds: float, scope: Scope = Scope.MARKETING, message_id: str = "m1") -> ConsentEvidence:
    return ConsentEvidence(at(seconds), scope, True, ConsentSource.COMPLAINT, message_id)


def opt_outs(world: World) -> list[ContactOptedOut]:
    """What was told of opt-outs, once for each identity."""
    told = [event for event in world.domain_events.published if isinstance(event, ContactOptedOut)]
    return list({(event.change_id, event.scope): event for event in told}.values())


def test_an_opt_out_is_told_when_it_begins_and_not_when_it_is_said_again() -> None:
    world = World()
    world.add(customer(1), customer(2, email="ana1@example.com"))
    world.know(contact_key(1), opted_out(1))
    world.know(contact_key(1), opted_out(2, message_id="m2"))
    for change in world.contacts.stream.take():
        world.project_contacts(written(change))

    assert [bare(event) for event in world.domain_events.published] == [
        ContactOptedOut(
            BUSINESS_ID,
            Channel.EMAIL,
            tuple(sorted((id_of(1), id_of(2)))),
            Scope.MARKETING,
            ConsentSource.COMPLAINT,
            at(1),
            3,
            "change-5",
        ),
        ConsentChanged(
            BUSINESS_ID,
            Channel.EMAIL,
            tuple(sorted((id_of(1), id_of(2)))),
            (Scope.MARKETING,),
            False,
            ConsentSource.COMPLAINT,
            at(1),
            3,
            "change-5",
        ),
    ]


@given(st.lists(strategies.said, max_size=8))
def test_whoever_follows_the_events_knows_which_scopes_are_opted_out(said: list[ConsentEvidence]) -> None:
    world = World()
    world.add(customer(1))
    for statement in said:
        world.know(contact_key(1), statement)
    for change in world.contacts.stream.take():
        world.project_contacts(written(change))
    followed: set[Scope] = set()
    for event in world.domain_events.published:
        if isinstance(event, ContactOptedOut):
            assert event.scope not in followed
            followed.add(event.scope)
        elif isinstance(event, ContactOptedIn):
            assert event.scope in followed
            followed.remove(event.scope)

    assert followed == set(world.contacts.rows[contact_key(1)].consent.opted_out)


def test_an_opt_out_of_two_scopes_is_two_events_of_one_change() -> None:
    world = World()
    world.add(customer(1))
    world.know(contact_key(1), opted_out(1), opted_out(2, Scope.ALL))
    world.pump_streams()

    assert {(event.scope, event.at) for event in opt_outs(world)} == {(Scope.MARKETING, at(1)), (Scope.ALL, at(2))}
    assert len({event.change_id for event in opt_outs(world)}) == 1


def test_a_flag_and_an_opt_out_of_one_write_are_both_told() -> None:
    world = World()
    world.add(customer(1))
    world.know(contact_key(1), BOUNCE, opted_out(1))
    [*_, change] = world.contacts.stream.take()
    world.project_contacts(written(change))

    assert {type(event) for event in world.domain_events.published} == {
        ContactInvalidated,
        ContactOptedOut,
        ConsentChanged,
    }


def history(world: World, number: int = 1) -> list[HistoryEntry]:
    return list(world.contact_history.page(contact_key(number), 100, None).items)


@given(st.lists(strategies.said, max_size=8), st.integers(0, 1 << 20))
def test_every_word_that_was_the_latest_of_its_kind_is_kept_once_also_under_chaos(
    said: list[ConsentEvidence], seed: int
) -> None:
    world = World(seed=seed)
    world.add(customer(1))
    latest: set[ConsentEvidence] = set()
    for statement in said:
        before = world.contacts.rows[contact_key(1)].consent.statements
        world.know(contact_key(1), statement)
        latest |= world.contacts.rows[contact_key(1)].consent.statements - before
    world.pump_streams()

    kept = history(world)
    assert {entry.statement for entry in kept if isinstance(entry, ConsentStated)} == latest
    assert [entry.at for entry in kept] == sorted((statement.at for statement in latest), reverse=True)


def test_a_flag_is_in_the_history_when_it_is_raised_and_when_it_is_cleared() -> None:
    world = World()
    world.add(customer(1))
    world.know(contact_key(1), BOUNCE)
    world.know(contact_key(1), Cleared(at(9), ClearedBy.EDIT))
    world.pump_streams()

    reasons = {entry.reason for entry in history(world) if isinstance(entry, FlagChanged)}
    assert reasons == {look_up(Provider.SES, NO_SUCH_MAILBOX).reason, None}


def test_what_was_said_outlives_the_customer_and_greets_whoever_comes_with_the_address() -> None:
    world = World()
    world.add(customer(1))
    world.know(contact_key(1), opted_out(1))
    world.customer_service.delete(BUSINESS_ID, id_of(1))
    world.pump_streams()
    world.customer_service.create(BUSINESS_ID, {"first_name": "Ana", "last_name": "Silva", "email": "ana1@example.com"})
    world.pump_streams()

    assert history(world) == [ConsentStated(opted_out(1))]


@given(st.lists(strategies.said | strategies.evidence, max_size=10), st.integers(0, 1 << 20))
def test_every_opt_out_is_told_exactly_once_whatever_else_is_said_and_delivered_again(
    said: list[Evidence | ConsentEvidence], seed: int
) -> None:
    world = World(seed=seed)
    world.add(customer(1))
    begun: list[Scope] = []
    for item in said:
        before = world.contacts.rows[contact_key(1)].consent.opted_out
        world.know(contact_key(1), item)
        begun += [scope for scope in world.contacts.rows[contact_key(1)].consent.opted_out if scope not in before]
        if world.random.random() < 0.3:
            world.pump_streams()
    world.pump_streams()

    assert [event.scope for event in opt_outs(world)] == begun


def test_a_contact_of_a_business_that_is_gone_is_nobodys() -> None:
    world = World()
    orphan = Contact(replace(contact_key(1), business_id="gone")).with_evidence(BOUNCE)
    world.project_contacts(RowChange(None, orphan, "change-1", at(0)))

    assert world.domain_events.published == []
