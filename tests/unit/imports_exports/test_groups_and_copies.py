"""Rows of files that have addresses as objects, or name customers who get copies."""

import json
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.customers.domain import GROUPS, members_of
from rebound.imports_exports.application.start_import import ImportView
from tests.fakes.making import BUSINESS_ID
from tests.fakes.world import World
from tests.unit.imports_exports.test_same_people import imported, people

ANA: Final = {"external_id": "A", "first_name": "Ana", "last_name": "Silva"}
TEXT: Final = st.sampled_from(["Oslo", "Main St 1", "x"])


def told(view: ImportView) -> dict[str, str]:
    return {each.field: each.message for bad in view.incomplete_rows for each in bad.warnings}


@given(
    st.dictionaries(st.sampled_from([*members_of("address"), "town", "zip"]), TEXT, max_size=4)
    | st.sampled_from(["Oslo", 7, ["Oslo"], True, None])
)
def test_an_address_is_an_object_as_in_the_api_and_what_is_none_costs_itself_alone(address: Any) -> None:
    world = World()
    view = imported(world, {**ANA, "address": address})
    [ana] = people(world)
    given = address if isinstance(address, dict) else {}
    known = {name: own for name, own in members_of("address").items() if name in given}

    assert {own: getattr(ana, own) for own in known.values()} == {own: given[name] for name, own in known.items()}
    is_whole = address is None or (isinstance(address, dict) and given.keys() == known.keys())
    assert set(told(view)) == (set() if is_whole else {"address"})
    assert view.counts.created == 1


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_is_taken_as_an_object(group: str) -> None:
    world = World()
    value: Any = True if group == "reminders" else "here"
    imported(world, {**ANA, group: dict.fromkeys(members_of(group), value)})
    [ana] = people(world)

    assert all(getattr(ana, own) == value for own in members_of(group).values())


@given(st.lists(st.sampled_from(["A", "B", "C", "nobody", "desk@example.com"]), unique=True, max_size=4))
def test_a_customer_whom_there_is_not_is_named_in_a_warning_and_kept(names: list[str]) -> None:
    world = World()
    world.customer_service.create(BUSINESS_ID, {**ANA, "external_id": "C"})
    rows: list[dict[str, Any]] = [{**ANA, "cc": names}, {**ANA, "external_id": "B", "first_name": "Ben"}]
    view = imported(world, *rows)
    [ana] = [each for each in people(world) if each.external_id == "A"]

    assert len(ana.cc) == len(names)
    assert told(view) == (
        {"cc": "There is no customer “nobody” yet; a copy is sent once there is."} if "nobody" in names else {}
    )
    assert "nobody" not in json.dumps(list(ana.cc))
