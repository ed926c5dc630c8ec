"""An import brings opt-outs of elsewhere along, opts nobody in, and an export takes them with it."""

import csv
import io
import json
from collections.abc import Callable
from copy import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.consent.domain.consent import ConsentEvidence
from rebound.imports_exports.application.import_rows import NO, YES
from rebound.imports_exports.application.start_import import ImportView
from rebound.imports_exports.domain import ImportOptions, RowCounts
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.segments.domain.selections import CustomerFilter
from tests.fakes import strategies
from tests.fakes.making import BUSINESS_ID, at, contact_key, customer
from tests.fakes.world import Chaos, World

ANA: dict[str, Any] = {
    "external_id": "A",
    "first_name": "Ana",
    "last_name": "Silva",
    "email": "ana@example.com",
    "mobile_phone": "+14155550123",
}
EMAIL = ContactKey(BUSINESS_ID, Channel.EMAIL, "ana@example.com")
SMS = ContactKey(BUSINESS_ID, Channel.SMS, "+14155550123")
SCOPES = st.lists(st.sampled_from([*Scope, "Marketing ", "nonsense"]), max_size=3)


def imported(
    world: World, *rows: dict[str, Any], format_: str = "jsonl", options: ImportOptions | None = None
) -> ImportView:
    if format_ == "csv":
        file = io.StringIO()
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)
        content = file.getvalue()
    else:
        content = "\n".join(map(json.dumps, rows))
    started, _ = world.start_import(BUSINESS_ID, format_, content, options or ImportOptions())
    return world.run_import(started.job.import_id)


def opted_out(world: World, key: ContactKey) -> tuple[Scope, ...]:
    return world.contacts.rows[key].consent.opted_out


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
def test_a_row_opts_its_addresses_out_as_of_the_time_it_gives_or_of_the_import(format_: str) -> None:
    world = World()
    lists = ("marketing; Loyalty", "all") if format_ == "csv" else (["marketing", "Loyalty"], ["all"])
    row = {
        **ANA,
        "email_opted_out": lists[0],
        "sms_opted_out": lists[1],
        "sms_opted_out_at": "2024-05-01T02:00:00+02:00",
    }
    view = imported(world, row, format_=format_)
    [stop] = world.contacts.rows[SMS].consent.statements
    [first, second] = world.contacts.rows[EMAIL].consent.statements

    assert (view.counts, opted_out(world, EMAIL)) == (RowCounts(1, created=1), (Scope.MARKETING, Scope.LOYALTY))
    assert (stop.source, stop.who, stop.at.isoformat()) == (
        ConsentSource.IMPORT, f"import {view.job.import_id}", "2024-05-01T00:00:00+00:00",
    )  # fmt: skip
    assert first.at == second.at == view.job.created_at


def test_what_is_known_already_is_not_said_again_and_an_empty_cell_opts_nobody_in() -> None:
    world = World()
    row = {**ANA, "email_opted_out": ["marketing"]}
    imported(world, row)
    before = dict(world.contacts.rows)
    again = [imported(world, each) for each in (row, ANA, {**ANA, "email_opted_out": [], "sms_opted_out": None})]

    assert [view.counts for view in again] == [RowCounts(1, unchanged=1)] * 3
    assert world.contacts.rows == before


def test_an_opt_out_of_a_customer_who_stays_as_they_are_is_an_update() -> None:
    world = World()
    imported(world, ANA)
    customers = dict(world.customers.rows)
    view = imported(world, {**ANA, "sms_opted_out": ["loyalty"]})

    assert view.counts == RowCounts(1, updated=1)
    assert (world.customers.rows, opted_out(world, SMS)) == (customers, (Scope.LOYALTY,))


def test_an_old_list_does_not_undo_a_later_start() -> None:
    world = World()
    imported(world, ANA)
    world.know(SMS, ConsentEvidence(at(-60), Scope.ALL, opted_out=False, source=ConsentSource.KEYWORD))
    imported(world, {**ANA, "sms_opted_out": ["all"], "sms_opted_out_at": "2024-05-01T00:00:00Z"})

    assert opted_out(world, SMS) == ()


BAD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no scope": ({"email_opted_out": ["everything"]}, ["email_opted_out"]),
    "yes and no": ({"email_opted_out": ["yes", "no"]}, ["email_opted_out"]),
    "no list": ({"email_opted_out": {"all": True}}, ["email_opted_out"]),
    "no texts": ({"sms_opted_out": [1]}, ["sms_opted_out"]),
    "three things": (
        {"email": "ana", "email_opted_out": ["nonsense"], "sms_opted_out_at": "x"},
        ["email", "email_opted_out", "sms_opted_out_at"],
    ),
}


@pytest.mark.parametrize(("given_", "fields"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_reported_with_its_field_and_changes_nothing(
    given_: dict[str, Any], fields: list[str]
) -> None:
    world = World()
    view = imported(world, {**ANA, **given_})

    assert view.counts == RowCounts(1, failed=1)
    assert sorted(error.field for bad in view.bad_rows for error in bad.errors) == fields
    assert (world.customers.rows, world.contacts.rows) == ({}, {})


@pytest.mark.parametrize(
    "at", ["yesterday", "2031-05-01T00:00:00Z", "0001-01-01T00:00:00Z", "1999-12-31", 20240501, "01/05/2024"]
)
def test_an_opt_out_whose_time_cannot_be_read_is_of_the_import(at: Any) -> None:
    world = World()
    view = imported(world, {**ANA, "sms_opted_out": ["all"], "sms_opted_out_at": at})
    [stop] = world.contacts.rows[SMS].consent.statements

    assert view.counts == RowCounts(1, created=1, incomplete=1)
    assert [error.field for bad in view.incomplete_rows for error in bad.warnings] == ["sms_opted_out_at"]
    assert stop.at == view.job.created_at


@pytest.mark.parametrize(
    ("at", "read"),
    [
        ("2024-05-01T02:00:00+02:00", "2024-05-01T00:00:00+00:00"),
        ("2024-05-01", "2024-05-01T04:00:00+00:00"),
        ("2024-05-01 10:30", "2024-05-01T14:30:00+00:00"),
        ("01.05.2024 10:30", "2024-05-01T04:00:00+00:00"),
    ],
)
def test_the_time_of_an_opt_out_is_of_the_businesss_zone_unless_it_says_otherwise(at: str, read: str) -> None:
    world = World()
    world.businesses.replace(replace(world.businesses.get(BUSINESS_ID), time_zone="America/New_York"))
    options = ImportOptions(date_format="DD.MM.YYYY")
    imported(world, {**ANA, "sms_opted_out": ["all"], "sms_opted_out_at": at}, options=options)
    [stop] = world.contacts.rows[SMS].consent.statements

    assert stop.at.isoformat() == read


def test_an_opt_out_without_an_address_is_told_and_costs_nobody() -> None:
    world = World()
    view = imported(world, {**ANA, "mobile_phone": None, "sms_opted_out": ["all"]})

    assert view.counts == RowCounts(1, created=1, incomplete=1)
    assert [error.field for bad in view.incomplete_rows for error in bad.warnings] == ["sms_opted_out"]


@given(st.sampled_from(sorted(YES)), st.sampled_from([str.upper, str.title, str]), st.sampled_from(["csv", "jsonl"]))
def test_yes_opts_out_of_everything(word: str, case: Callable[[str], str], format_: str) -> None:
    world = World()
    imported(world, {**ANA, "sms_opted_out": f" {case(word)}"}, format_=format_)

    assert opted_out(world, SMS) == (Scope.ALL,)


@given(st.sampled_from(sorted(NO)), st.sampled_from([str.upper, str.title, str]), st.sampled_from(["csv", "jsonl"]))
def test_no_opts_out_of_nothing(word: str, case: Callable[[str], str], format_: str) -> None:
    world = World()
    view = imported(world, {**ANA, "sms_opted_out": case(word)}, format_=format_)

    assert (opted_out(world, SMS), view.counts) == ((), RowCounts(1, created=1))


@pytest.mark.parametrize("cell", ["marketing; loyalty", "Loyalty,marketing", "marketing,  ,loyalty;"])
def test_scopes_are_parted_by_semicolons_or_commas(cell: str) -> None:
    world = World()
    imported(world, {**ANA, "email_opted_out": cell}, format_="csv")

    assert opted_out(world, EMAIL) == (Scope.MARKETING, Scope.LOYALTY)


@given(
    st.lists(st.tuples(st.sampled_from("ABC"), SCOPES, SCOPES), max_size=40),
    st.integers(0, 10_000),
    st.sampled_from([0.05, 0.2]),
)
def test_opt_outs_are_the_same_wherever_the_workers_die(
    drawn: list[tuple[str, list[str], list[str]]], seed: int, death: float
) -> None:
    rows = [
        {**ANA, "external_id": name, "email": f"{name.lower()}@example.com", "email_opted_out": e, "sms_opted_out": s}
        for name, e, s in drawn
    ]
    calm, stormy = World(), World(seed=seed)
    stormy.chaos = Chaos(death=death)
    ends = [imported(world, *rows) for world in (calm, stormy)]

    assert ends[0].counts == ends[1].counts
    assert {key: opted_out(calm, key) for key in calm.contacts.rows} == {
        key: opted_out(stormy, key) for key in stormy.contacts.rows
    }


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
@given(st.lists(st.tuples(st.sampled_from(Channel), strategies.said), max_size=8))
def test_opt_outs_go_with_an_export_and_change_nothing_where_they_come_from(
    format_: str, said: list[tuple[Channel, ConsentEvidence]]
) -> None:
    here, there = World(), World()
    here.add(customer(1))
    for channel, statement in said:
        here.know(contact_key(1, channel), statement)
    here.clock.move_to(at(3600))
    there.clock.move_to(at(3600))
    before = dict(here.contacts.rows)
    view = here.run_export(here.start_export(BUSINESS_ID, format_, CustomerFilter()).job.export_id)
    content = here.export_store.files[BUSINESS_ID, view.job.export_id].decode()
    for world in (here, there):
        world.run_import(world.start_import(BUSINESS_ID, format_, content)[0].job.import_id)

    assert here.contacts.rows == before
    assert {key: opted_out(there, key) for key in before} == {key: opted_out(here, key) for key in before}
