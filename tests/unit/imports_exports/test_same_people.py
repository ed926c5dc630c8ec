"""Rows without an id meet the customer of their name and address, and doing it again changes nothing."""

import json
from collections.abc import Mapping
from copy import replace
from functools import partial
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.customers.domain import Customer
from rebound.imports_exports.application.start_import import ImportView
from rebound.imports_exports.domain import ImportOptions, RowCounts
from tests.fakes.making import BUSINESS_ID, customer
from tests.fakes.watching import Turns
from tests.fakes.world import Chaos, World, always

type Fields = Mapping[str, Any]

ANA: Final = {"first_name": "Ana", "last_name": "Silva", "email": "ana@example.com", "mobile_phone": "+14155550123"}


def start(world: World, *rows: Fields, options: ImportOptions | None = None) -> str:
    content = "\n".join(map(json.dumps, rows))
    return world.start_import(BUSINESS_ID, "jsonl", content, options or ImportOptions())[0].job.import_id


def imported(world: World, *rows: Fields, options: ImportOptions | None = None) -> ImportView:
    return world.run_import(start(world, *rows, options=options))


def people(world: World) -> list[Customer]:
    return list(world.customers.rows.values())


def without(row: Fields, *names: str) -> Fields:
    return {name: value for name, value in row.items() if name not in names}


@pytest.mark.parametrize(
    "again",
    [
        ANA,
        without(ANA, "email"),
        without(ANA, "mobile_phone"),
        {**ANA, "email": "other@example.com"},
        {**ANA, "mobile_phone": "+14155550199"},
        {**ANA, "first_name": "ANA", "last_name": " silva "},
        {**ANA, "first_name": "Aná", "email": "ANA@EXAMPLE.com"},
        {**without(ANA, "email"), "mobile_phone": "(415) 555-0123"},
    ],
)
def test_a_row_meets_the_customer_with_the_same_name_and_email_or_phone(again: Fields) -> None:
    world = World()
    imported(world, ANA)
    [before] = people(world)
    view = imported(world, again)

    assert [customer.customer_id for customer in people(world)] == [before.customer_id]
    assert view.counts.created == 0


@pytest.mark.parametrize(
    "other",
    [
        {**ANA, "first_name": "Bea"},
        {**ANA, "email": "bea@example.com", "mobile_phone": "+14155550199"},
        {"first_name": "Ana", "last_name": "Silva"},
    ],
)
def test_a_row_meets_nobody_of_another_name_or_other_addresses(other: Fields) -> None:
    world = World()
    imported(world, ANA)
    imported(world, other)

    assert len(people(world)) == 2


def test_a_row_meets_a_customer_who_has_an_id_and_leaves_it() -> None:
    world = World()
    imported(world, {**ANA, "external_id": "A"})
    view = imported(world, {**ANA, "external_id": None, "gender": "f"})
    [customer] = people(world)

    assert (view.counts, customer.external_id, customer.gender) == (RowCounts(1, updated=1), "A", "f")


def test_in_a_file_with_ids_a_row_without_one_adds_what_is_missing_and_changes_nothing_again() -> None:
    world = World()
    rows = [{**ANA, "external_id": "A", "gender": "f"}, {**ANA, "external_id": "", "gender": "m", "language": "pt"}]
    for _ in range(2):
        view = imported(world, *rows)
    [customer] = people(world)

    assert (customer.gender, customer.language) == ("f", "pt")
    assert view.counts == RowCounts(2, unchanged=2)


def test_a_row_meets_a_customer_whom_somebody_has_renamed_or_given_another_address() -> None:
    for edit in ({"last_name": "Souza"}, {"email": "new@example.com"}, {"email": None}):
        world = World()
        imported(world, without(ANA, "mobile_phone"))
        [before] = people(world)
        world.customer_service.change(BUSINESS_ID, before.customer_id, edit)
        edited = people(world)
        view = imported(world, without(ANA, "mobile_phone"))

        assert people(world)[0] == edited[0]
        assert view.counts.created == 0
        assert [each.field for bad in view.incomplete_rows for each in bad.warnings] == list(edit)


@pytest.mark.parametrize(
    ("match_by", "row", "meets"),
    [
        (("email",), without(ANA, "mobile_phone"), True),
        (("email",), without(ANA, "email"), False),
        (("mobile_phone",), without(ANA, "email"), True),
        (("mobile_phone",), without(ANA, "mobile_phone"), False),
        ((), ANA, False),
    ],
)
def test_an_import_may_say_by_what_a_row_meets_a_customer(match_by: tuple[str, ...], row: Fields, meets: bool) -> None:
    world = World()
    imported(world, ANA)
    imported(world, row, options=ImportOptions(match_by=match_by))

    assert (len(people(world)) == 1) is meets


def test_of_whom_nothing_but_the_name_is_known_there_are_as_many_as_rows_each_night_again() -> None:
    world = World()
    rows = [{"first_name": "Ana", "last_name": "Silva", "gender": gender} for gender in ("f", "m", "f")]
    for _ in range(2):
        imported(world, *rows, {"first_name": "Ana", "last_name": "Silva", "email": "odd"})

    assert sorted(customer.gender or "" for customer in people(world)) == ["", "f", "f", "m"]


def test_two_rows_that_are_the_same_person_are_one_customer_with_what_either_says() -> None:
    world = World()
    rows = [
        {**without(ANA, "mobile_phone"), "general_tags": ["vip"], "sms_opted_out": ["all"]},
        {**ANA, "email": None, "gender": "f"},
        {**without(ANA, "mobile_phone"), "mobile_phone": "+14155550123", "email_opted_out": ["marketing"]},
    ]
    view = imported(world, *rows)
    [customer] = people(world)

    assert view.counts == RowCounts(3, created=1, unchanged=2)
    assert (customer.email, customer.mobile_phone) == (ANA["email"], ANA["mobile_phone"])
    assert (customer.gender, customer.general_tags) == ("f", ("vip",))
    assert {str(key.channel): list(contact.consent.opted_out) for key, contact in world.contacts.rows.items()} == {
        "email": ["marketing"],
        "sms": ["all"],
    }


@pytest.mark.parametrize("named_first", [True, False])
def test_a_row_without_an_id_meets_whom_another_row_names_in_whatever_order_they_stand(named_first: bool) -> None:
    world = World()
    world.import_part_bytes = 100_000
    rows = [{**ANA, "external_id": "A"}, {**ANA, "external_id": "", "gender": "f"}]
    others = [{"external_id": f"O{n}", "first_name": f"N{n}", "last_name": "Silva"} for n in range(60)]
    imported(world, *(rows if named_first else rows[::-1]), *others)

    assert [customer.gender for customer in people(world) if customer.first_name == "Ana"] == ["f"]


@pytest.mark.parametrize("numbers", [(1, 2), (2, 1)])
def test_a_row_meets_who_has_the_address_now_before_who_had_it_once(numbers: tuple[int, int]) -> None:
    world = World()
    once, now = (customer(number, first_name="Ana", last_name="Silva", mobile_phone=None) for number in numbers)
    world.add(replace(once, email=ANA["email"]))
    world.customer_service.change(BUSINESS_ID, once.customer_id, {"email": "other@example.com"})
    world.add(replace(now, email=ANA["email"]))
    imported(world, {**without(ANA, "mobile_phone"), "gender": "f"})

    assert {each.customer_id: each.gender for each in people(world)} == {once.customer_id: None, now.customer_id: "f"}


def test_an_opt_out_of_an_address_that_a_later_row_replaces_is_not_one_of_the_new_address() -> None:
    world = World()
    first = {**ANA, "external_id": "A", "email_opted_out": ["all"]}
    imported(world, first, {**ANA, "external_id": "A", "email": "new@example.com"})

    assert not any(contact.consent.opted_out for contact in world.contacts.rows.values())


names = st.sampled_from(["Ana", "ANA", "Bea", "Zoë"])
rows = st.lists(
    st.fixed_dictionaries(
        {"first_name": names, "last_name": st.sampled_from(["Silva", "silva", "Lind"])},
        optional={
            "external_id": st.sampled_from(["", "A", "B"]),
            "email": st.sampled_from(["", "a@example.com", "A@example.com", "b@example.com", "odd"]),
            "mobile_phone": st.sampled_from(["", "+14155550123", "(415) 555-0123", "415 555 0124", "12"]),
            "birthday": st.sampled_from(["", "1990-04-01", "01/04/1990"]),
            "general_tags": st.sampled_from(["", "vip", "new, vip"]),
            "sms_opted_out": st.sampled_from(["", "yes", "no", "marketing"]),
        },
    ),
    max_size=40,
)


def named_in_one_way(drawn: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Nobody is named by an id in one row, and by name and address in another: then nobody can tell who holds."""
    named = {name_and_addresses for row in drawn if row.get("external_id") for name_and_addresses in _marks(row)}
    return [row for row in drawn if row.get("external_id") or not named.intersection(_marks(row))]


def _marks(row: Fields) -> list[str]:
    return [row["first_name"].lower()]


@given(rows, st.booleans())
def test_the_second_time_changes_nothing(drawn: list[dict[str, Any]], keeps_ids: bool) -> None:
    world = World()
    chosen = named_in_one_way(drawn) if keeps_ids else [without(row, "external_id") for row in drawn]
    first = imported(world, *chosen)
    customers, contacts = dict(world.customers.rows), dict(world.contacts.rows)
    second = imported(world, *chosen)

    assert (second.counts.created, second.counts.updated) == (0, 0)
    assert (world.customers.rows, world.contacts.rows) == (customers, contacts)
    assert second.counts.failed == first.counts.failed


@given(rows, st.integers(0, 10_000), st.sampled_from([0.05, 0.2]))
def test_the_end_is_the_same_wherever_workers_die(drawn: list[dict[str, Any]], seed: int, death: float) -> None:
    calm, stormy = World(), World(seed=seed)
    stormy.chaos = Chaos(death=death)
    ends = [imported(world, *(without(row, "external_id") for row in drawn)) for world in (calm, stormy)]

    assert ends[0].counts == ends[1].counts
    assert calm.customers.rows == stormy.customers.rows
    assert calm.contacts.rows == stormy.contacts.rows
    assert calm.export_store.files == stormy.export_store.files


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.lists(st.sampled_from([0, 1, 2]), min_size=2, max_size=12))
def test_whoever_makes_a_person_at_the_same_time_there_is_one(seed: int, who: list[int]) -> None:
    world = World()
    rows = [ANA, without(ANA, "mobile_phone"), {**ANA, "mobile_phone": "+14155550199", "gender": "f"}]
    imports = [start(world, *(rows[number] for number in who)), start(world, rows[0]), start(world, rows[2])]
    parts = [(each, part) for each in imports for part in world.split_import(BUSINESS_ID, each, always) or ()]
    turns = Turns(seed)
    world.checkpoint = turns.checkpoint

    def run(import_id: str, part: int) -> None:
        assert world.import_customers(BUSINESS_ID, import_id, part, always)

    turns.run([partial(run, *each) for each in parts])

    assert len(people(world)) == 1
    assert sum(part.counts.created for each in imports for part in world.import_ledger.parts(each)) == len(
        people(world)
    )
