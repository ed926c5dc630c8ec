"""Whoever follows the events of contacts knows which customers have an address that is known to be bad."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any, Final

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import Cleared, ClearedBy, Failure
from rebound.customers.application.moves import left_behind
from rebound.kernel.channels import Channel
from rebound.kernel.errors import NotFoundError
from rebound.kernel.events import ContactInvalidated, ContactRestored
from rebound.kernel.ids import id_of_external
from rebound.kernel.provider_codes import Provider
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX, contact_key, customer, id_of
from tests.fakes.streams import written
from tests.fakes.world import Chaos, World

ADDRESSES: Final = ("ana1@example.com", "ana2@example.com", "ana3@example.com")
NAMES: Final = ("c1", "c2", "c3")
IDS: Final = {name: id_of_external(BUSINESS_ID, name) for name in NAMES}
MINUTE: Final = timedelta(minutes=1)

steps: Final = st.lists(
    st.tuples(st.just("bounce"), st.sampled_from(ADDRESSES), st.none())
    | st.tuples(st.just("deliver"), st.sampled_from(ADDRESSES), st.none())
    | st.tuples(st.just("edit"), st.sampled_from(NAMES), st.sampled_from([None, *ADDRESSES]))
    | st.tuples(st.just("import"), st.sampled_from(NAMES), st.sampled_from(ADDRESSES))
    | st.tuples(st.sampled_from(["rename", "confirm", "delete"]), st.sampled_from(NAMES), st.none())
    | st.tuples(st.just("follow"), st.none(), st.none()),
    min_size=3,
    max_size=14,
)


def with_email(address: str | None) -> Mapping[str, Any]:
    return {"first_name": "Ana", "last_name": "Silva", "email": address}


class Desk:
    """What people and providers do, a minute apart."""

    def __init__(self, seed: int, death: float) -> None:
        self.world = World(seed=seed)
        self.world.chaos = Chaos(death=death)

    def __call__(self, what: str, whom: str | None, address: str | None) -> None:
        world = self.world
        world.clock.move(MINUTE)
        if what == "follow":
            world.pump_streams()
        elif what in ("bounce", "deliver") and whom is not None:
            contact = world.contacts.get_many([key := contact_key(int(whom[3]))])[key]
            if contact.is_used:
                self._learn(contact, what)
        elif whom is not None:
            self._do(what, whom, address)

    def _learn(self, contact: Contact, what: str) -> None:
        now = self.world.clock.now()
        failure = Failure(now, f"m{now:%H%M}", Provider.SES, NO_SUCH_MAILBOX)
        cleared = Cleared(now, ClearedBy.DELIVERY, f"m{now:%H%M}")
        self.world.contacts.save(contact.with_evidence(failure if what == "bounce" else cleared))

    def _do(self, what: str, name: str, address: str | None) -> None:
        world, customer_id = self.world, IDS[name]
        if what == "import":
            file = f"external_id,first_name,last_name,email\n{name},Ana,Silva,{address}\n"
            view, _ = world.start_import(BUSINESS_ID, "csv", file)
            world.run_import(view.job.import_id)
            return
        try:
            world.customers.get(BUSINESS_ID, customer_id)
        except NotFoundError:
            if what == "edit":
                world.customer_service.create(BUSINESS_ID, {**with_email(address), "external_id": name})
            return
        match what:
            case "edit":
                world.customer_service.change(BUSINESS_ID, customer_id, with_email(address))
            case "rename":
                world.customer_service.change(BUSINESS_ID, customer_id, {"first_name": "Bea"})
            case "confirm":
                if world.customers.get(BUSINESS_ID, customer_id).email is not None:
                    world.customer_service.confirm(BUSINESS_ID, customer_id, Channel.EMAIL)
            case "delete":
                world.customer_service.delete(BUSINESS_ID, customer_id)


def heard(world: World) -> Mapping[str, Sequence[str]]:
    """What was told of each customer, once for each identity, in the order of the writes that it follows from."""
    told = {
        (event.change_id, type(event)): event
        for event in reversed(world.domain_events.published)
        if isinstance(event, ContactInvalidated | ContactRestored)
    }
    by_customer: defaultdict[str, list[str]] = defaultdict(list)
    for said in sorted(told.values(), key=lambda said: int(said.change_id.removeprefix("change-"))):
        for customer_id in said.customer_ids:
            by_customer[customer_id].append("invalid" if isinstance(said, ContactInvalidated) else "restored")
    return by_customer


@settings(max_examples=120, deadline=None)
@given(steps, st.integers(0, 1 << 20), st.sampled_from([0.0, 0.0, 0.2]))
def test_marks_kept_from_the_events_are_those_of_the_customers(
    drawn: Sequence[tuple[str, str | None, str | None]], seed: int, death: float
) -> None:
    desk = Desk(seed, death)
    for step in drawn:
        desk(*step)
    world = desk.world
    world.pump_streams()
    told = heard(world)

    for (_, customer_id), who in world.customers.rows.items():
        marked = bool(told.get(customer_id)) and told[customer_id][-1] == "invalid"
        assert marked is who.failed_email, told.get(customer_id)
    for customer_id, said in told.items():
        event(" ".join(said[:3]))
        gone = (BUSINESS_ID, customer_id) not in world.customers.rows
        assert said[0] == "invalid"
        assert not any(pair == ("restored", "restored") for pair in pairwise(said)), said
        assert not gone or said[-1] == "restored"


def flagged() -> World:
    """Customer 1 has a flag that was told; customer 2 shares the address, customer 3 is flagged elsewhere."""
    world = World()
    world.add(customer(1), customer(2, email=ADDRESSES[0]), customer(3))
    for number in (1, 3):
        world.know(contact_key(number), Failure(world.clock.now(), "m1", Provider.SES, NO_SUCH_MAILBOX))
    followed(world)
    return world


def followed(world: World) -> list[object]:
    """What is told of the changes since, each followed once."""
    world.domain_events.published.clear()
    for change in world.contacts.stream.take():
        world.project_contacts(written(change))
    return list(world.domain_events.published)


@pytest.mark.parametrize("address", [None, "right@example.com"])
def test_who_leaves_a_flagged_address_is_told_of_once_and_never_again(address: str | None) -> None:
    world = flagged()
    world.customer_service.change(BUSINESS_ID, id_of(1), {"email": address})
    [first] = followed(world)
    world.know(contact_key(1), Cleared(world.clock.now() + MINUTE, ClearedBy.DELIVERY, "m1"))
    [second] = followed(world)

    assert isinstance(first, ContactRestored)
    assert isinstance(second, ContactRestored)
    assert (first.customer_ids, second.customer_ids) == ((id_of(1),), (id_of(2),))


def test_who_moves_to_a_flagged_address_by_an_import_is_not_restored() -> None:
    world = flagged()
    [before] = world.customers.get_many(BUSINESS_ID, [id_of(1)]).values()
    after = before.changed(world.clock.now(), email=ADDRESSES[2])
    known = world.contacts.get_many([contact_key(1), contact_key(3)])
    contacts = {**known, contact_key(3): known[contact_key(3)].used_by(id_of(1))}
    contacts |= left_behind(before, after, known, contacts, world.businesses.get(BUSINESS_ID).policy)
    world.customers.save([after], list(contacts.values()))

    assert {type(event) for event in followed(world)} == {ContactInvalidated}


def test_a_late_bounce_at_an_address_that_was_corrected_marks_nobody() -> None:
    world = World()
    world.add(customer(1))
    world.customer_service.change(BUSINESS_ID, id_of(1), {"email": "right@example.com"})
    world.know(contact_key(1), Failure(world.clock.now() + MINUTE, "m1", Provider.SES, NO_SUCH_MAILBOX))

    assert followed(world) == []
    assert world.contacts.rows[contact_key(1)].verdict(world.businesses.get(BUSINESS_ID).policy).invalid
