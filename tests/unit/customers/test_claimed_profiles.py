"""Whose profile it is: names, phones and email of a profile that its customer has claimed are theirs to change."""

from datetime import timedelta

import pytest

from rebound.contacts.domain.reachability import ClearedBy
from rebound.customers.domain import LOCKABLE, Customer, ProfileEventKind
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConflictError
from tests.fakes.making import BUSINESS_ID, customer, id_of
from tests.fakes.world import World

OF_THE_CUSTOMER = {"first_name": "Ana", "email": "ana@new.example"}


def claimed() -> World:
    world = World()
    world.add(customer(1, day_phone="+14155550177"))
    world.customer_service.change(BUSINESS_ID, id_of(1), OF_THE_CUSTOMER, by_customer=True)
    world.clock.move(timedelta(hours=1))
    return world


def stored(world: World) -> Customer:
    return world.customers.get(BUSINESS_ID, id_of(1))


def test_an_edit_by_the_customer_claims_the_profile_and_stands_in_its_history() -> None:
    world = World()
    world.add(customer(1))
    at = world.clock.now()
    world.customer_service.change(BUSINESS_ID, id_of(1), OF_THE_CUSTOMER, by_customer=True)
    [event] = world.profile_history.before(BUSINESS_ID, id_of(1), None, 10)
    key = stored(world).contact_key(Channel.EMAIL)
    assert key is not None
    cleared = world.contacts.get_many([key])[key].reachability.cleared

    assert stored(world).claimed_at == at
    assert (event.kind, event.fields, event.via) == (
        ProfileEventKind.EDITED_BY_CUSTOMER,
        ("first_name", "email"),
        "portal",
    )
    assert cleared is not None
    assert cleared.by is ClearedBy.CUSTOMER


@pytest.mark.parametrize("field", LOCKABLE)
def test_the_business_cannot_change_what_is_locked_and_nothing_else_of_the_request_is_written(field: str) -> None:
    world = claimed()
    before = stored(world)
    value = "other@example.com" if field == "email" else "+14155550133" if "phone" in field else "Other"

    with pytest.raises(ConflictError) as refused:
        world.customer_service.change(BUSINESS_ID, id_of(1), {field: value, "gender": "f"})

    assert (refused.value.code, refused.value.members) == ("profile_locked", {"locked_fields": [field]})
    assert stored(world) == before


def test_emptying_is_a_change_and_all_locked_fields_are_named() -> None:
    world = claimed()

    with pytest.raises(ConflictError) as refused:
        world.customer_service.change(BUSINESS_ID, id_of(1), {"email": None, "day_phone": None, "gender": "f"})

    assert refused.value.members == {"locked_fields": ["email", "day_phone"]}


def test_an_equal_value_however_spelled_is_no_change_and_keeps_the_customers_spelling() -> None:
    world = claimed()
    before = stored(world)
    given = {"first_name": "ANA", "email": " Ana@NEW.example", "day_phone": "(415) 555-0177", "gender": "f"}
    world.customer_service.change(BUSINESS_ID, id_of(1), given)

    assert stored(world).gender == "f"
    assert [getattr(stored(world), name) for name in LOCKABLE] == [getattr(before, name) for name in LOCKABLE]


def test_a_list_sent_by_external_id_meets_the_same_lock() -> None:
    world = World()
    given = {"first_name": "Ana", "last_name": "Silva", "email": "ana@example.com"}
    view, is_new = world.customer_service.put(BUSINESS_ID, "crm-1", given, by_customer=True)
    assert (is_new, view.customer.claimed_at is not None) == (True, True)

    with pytest.raises(ConflictError):
        world.customer_service.put(BUSINESS_ID, "crm-1", {**given, "last_name": "Souza"})
    after, _ = world.customer_service.put(BUSINESS_ID, "crm-1", {**given, "last_name": "SILVA", "gender": "f"})
    assert (after.customer.last_name, after.customer.gender) == ("Silva", "f")


def test_the_customer_still_changes_everything_and_the_claim_keeps_its_time() -> None:
    world = claimed()
    at = stored(world).claimed_at
    world.customer_service.change(BUSINESS_ID, id_of(1), {"last_name": "Other"}, by_customer=True)

    assert (stored(world).last_name, stored(world).claimed_at) == ("Other", at)


def test_a_confirmation_by_the_customer_claims_too() -> None:
    world = World()
    world.add(customer(1))
    world.customer_service.confirm(BUSINESS_ID, id_of(1), Channel.EMAIL, by_customer=True)
    [event] = world.profile_history.before(BUSINESS_ID, id_of(1), None, 10)

    assert stored(world).claimed_at is not None
    assert (event.kind, event.fields) == (ProfileEventKind.CONFIRMED_BY_CUSTOMER, ("email",))
