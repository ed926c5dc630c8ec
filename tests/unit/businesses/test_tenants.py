"""Businesses that are put under ids of the operator's own, also by two programs at the same moment."""

from collections.abc import Callable, Sequence
from copy import replace
from typing import Any, Final

import pytest

from rebound.businesses.domain.business import Business
from rebound.businesses.domain.senders import SenderHolders
from rebound.kernel.errors import InvalidInputError
from tests.contract.businesses.fakes import MemoryBusinessDirectory
from tests.fakes.world import World

NEW: Final[dict[str, Any]] = {"name": "Elm", "country": "US", "time_zone": "America/New_York"}
ADDRESS: Final = "elm@salon.example.com"


class Interrupted(MemoryBusinessDirectory):
    """Somebody else does something once, between our read and our write."""

    def __init__(self, *businesses: Business) -> None:
        super().__init__(*businesses)
        self.meanwhile: Callable[[], object] | None = None

    def _interrupt(self) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()

    def add(self, business: Business, holders: Sequence[SenderHolders] = ()) -> None:
        self._interrupt()
        super().add(business, holders)

    def replace(self, business: Business, holders: Sequence[SenderHolders] = ()) -> None:
        self._interrupt()
        super().replace(business, holders)


@pytest.fixture
def world() -> World:
    made = World()
    vars(made)["businesses"] = Interrupted()
    return made


def interrupting(world: World, other: Callable[[], object]) -> None:
    directory = world.businesses
    assert isinstance(directory, Interrupted)
    directory.meanwhile = other


def test_two_who_put_the_same_business_make_one(world: World) -> None:
    tenants = world.tenant_service
    interrupting(world, lambda: tenants.put_business("elm", {**NEW, "owner_email": "owner@example.com"}))
    business, made = tenants.put_business("elm", {**NEW, "name": "Elm & Ash", "email_from": ADDRESS})

    assert not made
    assert (business.name, business.owner_email, business.email_from) == ("Elm & Ash", "owner@example.com", ADDRESS)
    assert world.businesses.get("elm") == replace(business, version=2)
    assert world.businesses.sender_holders(ADDRESS).business_ids == ("elm",)


def test_of_two_who_put_different_businesses_with_one_sender_the_second_is_refused(world: World) -> None:
    tenants = world.tenant_service
    interrupting(world, lambda: tenants.put_business("ash", {**NEW, "email_from": ADDRESS}))
    with pytest.raises(InvalidInputError) as refused:
        tenants.put_business("elm", {**NEW, "email_from": ADDRESS})

    assert [error.field for error in refused.value.errors] == ["email_from"]
    assert world.businesses.ids() == ["ash"]


def test_two_changes_at_the_same_moment_are_both_made(world: World) -> None:
    tenants = world.tenant_service
    tenants.put_business("elm", NEW)
    interrupting(world, lambda: tenants.change_business("elm", {"owner_email": "owner@example.com"}))
    tenants.change_business("elm", {"text_rate": 3.0})

    business = world.businesses.get("elm")
    assert (business.owner_email, business.text_rate) == ("owner@example.com", 3.0)


def test_what_changes_nothing_writes_nothing(world: World) -> None:
    tenants = world.tenant_service
    before, _ = tenants.put_business("elm", {**NEW, "email_from": ADDRESS})
    for _ in range(3):
        after, made = tenants.put_business("elm", {**NEW, "email_from": ADDRESS.upper()})

    assert (after.email_from, made) == (ADDRESS, False)
    assert world.businesses.get("elm").version == 1
    assert before.senders == after.senders
