"""An import brings opt-outs of elsewhere along, opts nobody in, and an export takes them with it."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.consent.domain.consent import ConsentEvidence
from rebound.imports_exports.application.import_customers import ImportView
from rebound.imports_exports.domain import RowCounts
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.segments.domain import CustomerFilter
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


def imported(world: World, *rows: dict[str, Any], format_: str = "jsonl") -> ImportView:
    if format_ == "csv":
        file = io.StringIO()
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)
        content = file.getvalue()
    else:
        content = "\n".join(map(json.dumps, rows))
    return world.run_import(world.start_import(BUSINESS_ID, format_, content)[0].job.import_id)


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
    "no list": ({"email_opted_out": "all"}, ["email_opted_out"]),
    "no texts": ({"sms_opted_out": [1]}, ["sms_opted_out"]),
    "no time": ({"sms_opted_out": ["all"], "sms_opted_out_at": "yesterday"}, ["sms_opted_out_at"]),
    "no zone": ({"sms_opted_out": ["all"], "sms_opted_out_at": "2024-05-01T00:00:00"}, ["sms_opted_out_at"]),
    "the future": ({"sms_opted_out": ["all"], "sms_opted_out_at": "2031-05-01T00:00:00Z"}, ["sms_opted_out_at"]),
    "the first year": ({"sms_opted_out": ["all"], "sms_opted_out_at": "0001-01-01T00:00:00Z"}, ["sms_opted_out_at"]),
    "a number": ({"sms_opted_out_at": 20240501}, ["sms_opted_out_at"]),
    "two things": (
        {"email": "ana", "email_opted_out": ["x"], "sms_opted_out_at": "x"},
        ["email", "email_opted_out", "sms_opted_out_at"],
    ),
    "no address": ({"mobile_phone": None, "sms_opted_out": ["all"]}, ["sms_opted_out"]),
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
