"""What an edit says about an address, and what no edit may do."""

from copy import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.contacts.domain.contacts import MAX_CUSTOMERS_PER_CONTACT, Contact
from rebound.contacts.domain.reachability import Failure
from rebound.customers.application.customer_service import CustomerView
from rebound.customers.domain import COUNTED_FIELDS, TEXT_FIELDS, field_text
from rebound.kernel.channels import Channel
from rebound.kernel.errors import (
    ComeAgainError,
    ConcurrentChangeError,
    ConflictError,
    InvalidInputError,
    NotAnsweredError,
    NotFoundError,
    ReboundError,
)
from rebound.kernel.ids import id_of_external
from rebound.kernel.provider_codes import Provider
from rebound.kernel.retrying import ATTEMPTS
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX, at, business, contact_key, customer, id_of
from tests.fakes.world import World

ANA: dict[str, Any] = {"first_name": "Ana", "last_name": "Silva", "email": "ana1@example.com"}
BOUNCE = Failure(at(-1), "m1", Provider.SES, NO_SUCH_MAILBOX)


def invalid(view: CustomerView) -> bool:
    return view.contacts[Channel.EMAIL].verdict(view.business.policy).invalid


def flagged_world() -> World:
    world = World()
    world.add(customer(1))
    world.know(contact_key(1), BOUNCE)
    return world


def test_a_new_customer_with_a_flagged_address_is_flagged_and_says_nothing_for_it() -> None:
    world = flagged_world()
    view = world.customer_service.create(BUSINESS_ID, ANA)

    assert invalid(view)
    assert view.customer.failed_email
    assert world.contacts.rows[contact_key(1)].customer_ids == {id_of(1), view.customer.customer_id}


def test_giving_the_address_again_clears_its_flag() -> None:
    view = flagged_world().customer_service.change(BUSINESS_ID, id_of(1), {"email": "ana1@example.com"})

    assert not invalid(view)
    assert not view.customer.failed_email


def test_a_change_of_something_else_clears_nothing() -> None:
    assert invalid(flagged_world().customer_service.change(BUSINESS_ID, id_of(1), {"first_name": "Bea"}))


def test_moving_to_another_address_leaves_the_old_one_flagged_and_its_customer_listed() -> None:
    world = flagged_world()
    view = world.customer_service.change(BUSINESS_ID, id_of(1), {"email": "new@example.com"})

    assert not invalid(view)
    old = world.contacts.rows[contact_key(1)]
    assert old.verdict(business().policy).invalid
    assert old.customer_ids == {id_of(1)}


def test_confirming_clears_the_flag_and_needs_an_address() -> None:
    world = flagged_world()

    assert not invalid(world.customer_service.confirm(BUSINESS_ID, id_of(1), Channel.EMAIL))
    world.add(customer(2, email=None))
    with pytest.raises(ConflictError):
        world.customer_service.confirm(BUSINESS_ID, id_of(2), Channel.EMAIL)


def test_emptying_an_address_takes_its_flag_from_the_customer() -> None:
    view = flagged_world().customer_service.change(BUSINESS_ID, id_of(1), {"email": None})

    assert (view.customer.email, view.customer.failed_email) == (None, False)


@pytest.mark.parametrize("name", ["first_name", "last_name"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_names_are_required_and_cannot_be_emptied(name: str, value: str | None) -> None:
    world = flagged_world()
    with pytest.raises(InvalidInputError) as creating:
        world.customer_service.create(BUSINESS_ID, {**ANA, name: value})
    with pytest.raises(InvalidInputError) as changing:
        world.customer_service.change(BUSINESS_ID, id_of(1), {name: value})

    for raised in (creating, changing):
        assert [error.field for error in raised.value.errors] == [name]


def test_an_external_id_means_one_customer_of_one_business_and_stays() -> None:
    world = World(business(), business(business_id="other"))
    first = world.customer_service.create(BUSINESS_ID, {**ANA, "external_id": "A1"}).customer
    other = world.customer_service.create("other", {**ANA, "external_id": "A1"}).customer

    assert first.customer_id == id_of_external(BUSINESS_ID, "A1") != other.customer_id
    with pytest.raises(ConflictError):
        world.customer_service.create(BUSINESS_ID, {**ANA, "external_id": "A1"})
    with pytest.raises(InvalidInputError):
        world.customer_service.change(BUSINESS_ID, first.customer_id, {"external_id": "A2"})


def test_what_belongs_to_another_business_does_not_exist() -> None:
    world = flagged_world()
    world.businesses.add(business(business_id="other"))
    for act in (
        lambda: world.customer_service.get("other", id_of(1)),
        lambda: world.customer_service.change("other", id_of(1), {"first_name": "x"}),
        lambda: world.customer_service.confirm("other", id_of(1), Channel.EMAIL),
        lambda: world.customer_service.delete("other", id_of(1)),
        lambda: world.read_client_log("other", id_of(1), 10, None),
    ):
        with pytest.raises(NotFoundError):
            act()


@pytest.mark.parametrize("losses", [1, ATTEMPTS - 1, ATTEMPTS])
def test_an_edit_that_others_overtake_is_decided_again_and_in_the_end_given_up(losses: int) -> None:
    world = flagged_world()
    left = losses

    def lose(where: str) -> None:
        nonlocal left
        if where == "customers.save" and left > 0:
            left -= 1
            raise ConcurrentChangeError

    world.checkpoint = lose
    if losses < ATTEMPTS:
        assert world.customer_service.change(BUSINESS_ID, id_of(1), {"first_name": "Bea"}).customer.first_name == "Bea"
    else:
        with pytest.raises(ConcurrentChangeError):
            world.customer_service.change(BUSINESS_ID, id_of(1), {"first_name": "Bea"})


def test_an_address_that_everybody_shares_is_a_placeholder_and_is_refused() -> None:
    world = World()
    full = frozenset(id_of(n) for n in range(1, MAX_CUSTOMERS_PER_CONTACT + 1))
    world.contacts.save(replace(Contact(contact_key(1)), customer_ids=full))
    with pytest.raises(InvalidInputError) as raised:
        world.customer_service.create(BUSINESS_ID, ANA)

    assert [error.field for error in raised.value.errors] == ["email"]
    assert world.customers.rows == {}


@given(
    st.dictionaries(st.sampled_from(sorted(TEXT_FIELDS.difference(COUNTED_FIELDS))), st.none() | st.text(max_size=200))
)
def test_any_texts_are_taken_or_refused_with_their_fields(given_fields: dict[str, str | None]) -> None:
    refused: set[str] = set()
    try:
        World().customer_service.create(BUSINESS_ID, {**ANA, **given_fields})
    except InvalidInputError as error:
        refused = {wrong.field for wrong in error.errors}

    assert refused <= set(given_fields)


def test_every_text_field_can_be_shown() -> None:
    assert {field_text(customer(1, birthday=None), name) is not None for name in TEXT_FIELDS} == {True}
    assert field_text(customer(1, gender=None), "gender") == ""


# --- the provider's suppression list ----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["edit", "confirmation"])
def test_clearing_a_flag_takes_the_address_off_the_suppression_list_but_no_complaint(how: str) -> None:
    world = flagged_world()
    world.suppressions.put("Ana1@example.com")
    world.suppressions.put("ana1@example.com", "COMPLAINT")
    if how == "edit":
        world.customer_service.change(BUSINESS_ID, id_of(1), {"email": "Ana1@example.com"})
    else:
        world.customer_service.change(BUSINESS_ID, id_of(1), {"email": "Ana1@example.com"})
        world.know(contact_key(1), replace(BOUNCE, at=at(60)))
        world.clock.move(timedelta(minutes=2))
        world.suppressions.put("Ana1@example.com")
        world.customer_service.confirm(BUSINESS_ID, id_of(1), Channel.EMAIL)

    assert set(world.suppressions.entries) == {"ana1@example.com"}
    assert world.suppressions.missed == []


def test_an_edit_of_an_address_that_never_failed_or_of_something_else_asks_the_provider_nothing() -> None:
    world = World()
    world.add(customer(1))
    world.customer_service.change(BUSINESS_ID, id_of(1), {"email": "ana1@example.com"})
    world.know(contact_key(1), replace(BOUNCE, at=at(5)))
    world.customer_service.change(BUSINESS_ID, id_of(1), {"first_name": "Bea", "mobile_phone": "+14155550188"})

    assert world.suppressions.calls == {}


@pytest.mark.parametrize("trouble", [ComeAgainError, NotAnsweredError])
def test_an_edit_holds_although_the_provider_does_not_answer(trouble: type[ReboundError]) -> None:
    world = flagged_world()
    world.suppressions.put("ana1@example.com")
    world.suppressions.troubles = [trouble("why")] * 99
    view = world.customer_service.change(BUSINESS_ID, id_of(1), {"email": "ana1@example.com"})

    assert not invalid(view)
    assert len(world.suppressions.missed) == 1
