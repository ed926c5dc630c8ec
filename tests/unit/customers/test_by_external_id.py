"""A list that is sent every night by the business's own ids: it creates and changes, and what it repeats is no edit."""

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.contacts.domain.reachability import Failure
from rebound.customers.application.customer_service import CustomerView
from rebound.customers.domain import PROFILE, REQUIRED_FIELDS
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from rebound.kernel.ids import id_of_external
from rebound.kernel.provider_codes import Provider
from rebound.kernel.written_text import tidied
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX, at, contact_key, customer
from tests.fakes.watching import Turns
from tests.fakes.world import World

ANA: Final[dict[str, Any]] = {"first_name": "Ana", "last_name": "Silva", "email": "ana1@example.com"}
ADDRESSES: Final = ("ana1@example.com", "ana2@example.com", "ana3@example.com", None)
VALUES: Final[dict[str, st.SearchStrategy[Any]]] = {
    "first_name": st.sampled_from(["Ana", "Bea"]),
    "last_name": st.sampled_from(["Silva", "Lee"]),
    "email": st.sampled_from([*ADDRESSES[:2], "ANA1@Example.com", None]),
    "mobile_phone": st.sampled_from(["+14155550123", "(415) 555-0123", "+14155550124", None]),
    "gender": st.sampled_from(["f", " f ", None]),
    "birthday": st.sampled_from(["1990-02-28", None]),
    "general_tags": st.sampled_from([["vip"], ["VIP", "new"], [], None]),
}
lines: Final = st.fixed_dictionaries({}, optional=VALUES)


def put(world: World, given: dict[str, Any], external_id: str = "crm-1") -> tuple[CustomerView, bool]:
    return world.customer_service.put(BUSINESS_ID, external_id, given)


def bounce(world: World, number: int, at_hour: float = 0) -> None:
    world.know(contact_key(number), Failure(at(at_hour), "m1", Provider.SES, NO_SUCH_MAILBOX))


def flagged(view: CustomerView) -> bool:
    return view.contacts[Channel.EMAIL].verdict(view.business.policy).invalid


def fields_refused(world: World, given: dict[str, Any], external_id: str = "crm-1") -> list[str]:
    before = dict(world.customers.rows)
    with pytest.raises(InvalidInputError) as raised:
        put(world, given, external_id)
    assert world.customers.rows == before
    return sorted(error.field for error in raised.value.errors)


def test_who_is_not_there_is_created_and_who_is_there_is_changed() -> None:
    world = World()
    created, is_new = put(world, ANA)
    changed, is_new_again = put(world, {"first_name": "Anna"})

    assert (is_new, is_new_again) == (True, False)
    assert created.customer.external_id == "crm-1"
    assert changed.customer.customer_id == created.customer.customer_id == id_of_external(BUSINESS_ID, "crm-1")
    assert (changed.customer.first_name, changed.customer.email) == ("Anna", "ana1@example.com")
    assert len(world.customers.rows) == 1


def test_it_is_the_customer_who_was_created_otherwise_and_the_one_of_files() -> None:
    world = World()
    created = world.customer_service.create(BUSINESS_ID, {**ANA, "external_id": "crm-1"})
    view, is_new = put(world, {"gender": "f"})
    with pytest.raises(ConflictError):
        world.customer_service.create(BUSINESS_ID, {**ANA, "external_id": "crm-1"})

    assert (view.customer.customer_id, is_new) == (created.customer.customer_id, False)


@given(st.lists(lines, min_size=1, max_size=5))
def test_it_merges_as_a_patch_does_and_a_line_that_is_repeated_writes_nothing(nights: list[dict[str, Any]]) -> None:
    world, patched = World(), World()
    put(world, ANA)
    known = patched.customer_service.create(BUSINESS_ID, {**ANA, "external_id": "crm-1"}).customer.customer_id
    for line in nights:
        if line:
            patched.customer_service.change(BUSINESS_ID, known, line)
        view, _ = put(world, line)
        rows, contacts = dict(world.customers.rows), dict(world.contacts.rows)
        again, is_new = put(world, line)

        expected = patched.customer_service.get(BUSINESS_ID, known).customer
        assert {name: getattr(view.customer, name) for name in PROFILE} == {
            name: getattr(expected, name) for name in PROFILE
        }
        assert not is_new
        assert again.customer == view.customer
        assert (world.customers.rows, world.contacts.rows) == (rows, contacts)


@given(st.lists(st.sampled_from(ADDRESSES), min_size=1, max_size=6), st.data())
def test_only_an_address_that_the_customer_never_had_is_evidence(nights: list[str | None], data: st.DataObject) -> None:
    world = World()
    put(world, ANA)
    for number in (1, 2, 3):
        bounce(world, number)
    had = {"ana1@example.com"}
    for address in nights:
        if data.draw(st.booleans(), "the desk changes it"):
            desk = data.draw(st.sampled_from(ADDRESSES[:3]))
            known = world.customer_service.change(BUSINESS_ID, id_of_external(BUSINESS_ID, "crm-1"), {"email": desk})
            had.add(str(known.customer.email))
            bounce(world, int(str(desk)[3]), at_hour=(world.clock.now() - at(0)).total_seconds() / 3600)
        before = world.contacts.get_many([contact_key(n) for n in (1, 2, 3)])
        put(world, {"email": address})
        after = world.contacts.get_many([contact_key(n) for n in (1, 2, 3)])
        cleared = {key.address for key in after if after[key].reachability != before[key].reachability}

        assert cleared == ({address} - had if address else set())
        had |= {address} if address else set()


def test_an_address_repeated_in_another_spelling_keeps_its_flag() -> None:
    world = World()
    put(world, ANA)
    bounce(world, 1)
    view, _ = put(world, {"email": "Ana1@Example.com"})

    assert view.customer.email == "Ana1@example.com"
    assert flagged(view)


def test_another_address_is_an_edit_like_any_other() -> None:
    world = World()
    put(world, ANA)
    bounce(world, 1)
    bounce(world, 2)
    view, _ = put(world, {"email": "ana2@example.com"})

    assert not flagged(view)
    assert not view.customer.failed_email


def test_a_new_customer_says_nothing_for_an_address_that_failed() -> None:
    world = World()
    world.add(customer(1))
    bounce(world, 1)
    view, _ = put(world, ANA)

    assert flagged(view)
    assert view.customer.failed_email


@pytest.mark.parametrize("given", [{}, {"email": "ana1@example.com"}, {"first_name": "Ana"}, {"last_name": " "}])
def test_what_a_new_customer_lacks_is_named(given: dict[str, Any]) -> None:
    missing = sorted(name for name in REQUIRED_FIELDS if not str(given.get(name, "")).strip())

    assert fields_refused(World(), given) == missing


def test_only_what_is_missing_is_said_to_be_required() -> None:
    with pytest.raises(InvalidInputError) as raised:
        put(World(), {"first_name": "Ana"}, "x" * 129)
    said = {error.field: error.message for error in raised.value.errors}

    assert "128 characters" in said["external_id"]
    assert "no customer with this external_id" in said["last_name"]


def test_everything_that_is_wrong_is_named_at_once() -> None:
    given = {"external_id": "crm-2", "email": "nonsense", "last_name": "Lee"}

    assert fields_refused(World(), given) == ["email", "external_id", "first_name"]


@pytest.mark.parametrize("other", ["crm-2", "CRM-1", None, ""])
def test_another_external_id_in_the_body_is_refused(other: str | None) -> None:
    world = World()
    assert fields_refused(world, {**ANA, "external_id": other}) == ["external_id"]
    put(world, {**ANA, "external_id": " crm-1"})
    assert fields_refused(world, {"external_id": other}) == ["external_id"]


@pytest.mark.parametrize("external_id", [" ", "\u200b", "x" * 129, "a\nb", "a\u0000b"])
def test_what_no_customer_can_be_called_is_refused_and_nobody_is_found_by_it(external_id: str) -> None:
    world = World()
    assert fields_refused(world, ANA, external_id) == ["external_id"]
    with pytest.raises(NotFoundError):
        world.customer_service.get(BUSINESS_ID, id_of_external(BUSINESS_ID, external_id))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=128))
def test_who_is_created_by_an_id_is_found_by_it_and_has_it(external_id: str) -> None:
    world = World()
    if not tidied(external_id):
        assert fields_refused(world, ANA, external_id) == ["external_id"]
        return
    view, _ = put(world, ANA, external_id)
    shown = str(view.customer.external_id)

    assert put(world, {}, shown) == (view, False)
    assert put(world, {}, external_id) == (view, False)


@pytest.mark.parametrize("seed", range(40))
def test_two_who_create_the_same_customer_make_one(seed: int) -> None:
    world, turns, made = World(), Turns(seed), list[bool]()
    world.checkpoint = turns.checkpoint
    turns.run(
        [
            lambda: made.append(put(world, {**ANA, "gender": "f"})[1]),
            lambda: made.append(put(world, {**ANA, "mobile_phone": "+14155550123"})[1]),
        ]
    )
    [ana] = world.customers.rows.values()

    assert sorted(made) == [False, True]
    assert (ana.gender, ana.mobile_phone) == ("f", "+14155550123")
    assert all(contact.customer_ids == {ana.customer_id} for contact in world.contacts.rows.values())


def test_who_was_deleted_is_created_again() -> None:
    world = World()
    view, _ = put(world, ANA)
    world.customer_service.delete(BUSINESS_ID, view.customer.customer_id)

    assert fields_refused(world, {"first_name": "Ana"}) == ["last_name"]
    assert put(world, ANA)[1]


def test_another_time_zone_wakes_what_waits() -> None:
    world = World()
    put(world, ANA)
    before = world.businesses.get(BUSINESS_ID).version
    put(world, {"time_zone": "Europe/Lisbon"})
    after = world.businesses.get(BUSINESS_ID).version
    put(world, {"time_zone": "Europe/Lisbon"})

    assert after > before
    assert world.businesses.get(BUSINESS_ID).version == after
