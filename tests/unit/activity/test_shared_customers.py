"""Where the operator lets businesses share customers, who was elsewhere owns their profile."""

from copy import replace
from datetime import date
from decimal import Decimal

import pytest

from rebound.activity.domain.summary import Spending, Summary
from rebound.kernel.errors import ConflictError
from rebound.kernel.ids import id_of_external
from tests.fakes.making import BUSINESS_ID, business, customer, id_of
from tests.fakes.watching import Boundary
from tests.fakes.world import World
from tests.unit.imports_exports.test_same_people import imported

DAY = date(2026, 11, 2)
VISITED = Summary(zone="UTC", written_on=DAY, first_visit=DAY, last_visit=DAY)
BOUGHT = Summary(zone="UTC", written_on=DAY, spendings=(Spending(DAY, DAY, None, "EUR", False, 1, Decimal(9)),))
NOTHING = Summary(zone="UTC", written_on=DAY)


def stack(did: Summary, *, shared: bool = True, email: str = "c1@example.com") -> World:
    """Customer 1 of a business, and somebody at an address of another's."""
    world = World(business(), replace(business(), business_id="other"))
    world.add(customer(1, email="c1@example.com", mobile_phone=None))
    given = {"first_name": "Ana", "last_name": "Silva", "email": email, "external_id": "x"}
    world.customer_service.create("other", given)
    world.summaries.given["other", id_of_external("other", "x")] = did
    if shared:
        assert world.share_customers(shared=True) == 2
    return world


def change(world: World) -> None:
    world.customer_service.change(BUSINESS_ID, id_of(1), {"last_name": "Other", "gender": "f"})


@pytest.mark.parametrize("did", [VISITED, BOUGHT], ids=["visited", "bought"])
def test_who_was_elsewhere_owns_the_profile_and_no_more_is_told(did: Summary) -> None:
    world = stack(did)
    with pytest.raises(ConflictError) as refused:
        change(world)

    assert (refused.value.code, refused.value.members) == ("profile_locked", {"locked_fields": ["last_name"]})
    assert "other" not in str(refused.value).lower().replace("another", "")
    world.customer_service.change(BUSINESS_ID, id_of(1), {"last_name": customer(1).last_name.upper(), "gender": "f"})
    assert world.customers.get(BUSINESS_ID, id_of(1)).gender == "f"
    world.customer_service.change(BUSINESS_ID, id_of(1), {"last_name": "Own"}, by_customer=True)


@pytest.mark.parametrize(
    ("did", "email", "shared"),
    [(NOTHING, "c1@example.com", True), (VISITED, "c2@example.com", True), (VISITED, "c1@example.com", False)],
    ids=["only known there", "somebody else", "not shared"],
)
def test_everybody_else_is_changed_as_before(did: Summary, email: str, shared: bool) -> None:
    world = stack(did, shared=shared, email=email)
    change(world)

    assert world.customers.get(BUSINESS_ID, id_of(1)).last_name == "Other"


def test_sharing_ends_for_one_or_all() -> None:
    world = stack(VISITED)
    assert world.share_customers(shared=False, business_id="other") == 1
    change(world)
    assert world.share_customers(shared=False) == 0


def test_a_file_keeps_what_is_locked() -> None:
    world = stack(VISITED)
    row = {"customer_id": id_of(1), "first_name": customer(1).first_name, "last_name": "Other", "gender": "f"}
    view = imported(world, row)

    assert [each.field for bad in view.incomplete_rows for each in bad.warnings] == ["last_name"]
    assert world.customers.get(BUSINESS_ID, id_of(1)).gender == "f"


def test_nothing_is_read_for_it_where_it_is_off() -> None:
    def calls(world: World) -> list[str]:
        seen: list[str] = []

        def note(where: Boundary) -> None:
            if where.side == "before":
                seen.append(str(where))

        world.checkpoint = note
        change(world)
        return seen

    alone = World()
    alone.add(customer(1, email="c1@example.com", mobile_phone=None))

    assert calls(stack(VISITED, shared=False)) == calls(alone)
