"""An export holds every customer that is wanted once, however often its worker dies, and an import reads it back."""

import csv
import io
import json
from copy import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.reachability import Failure
from rebound.customers.domain import Customer
from rebound.imports_exports.application.export_customers import KEPT, STOPPED
from rebound.imports_exports.domain import RowCounts
from rebound.kernel.errors import InvalidInputError
from rebound.kernel.provider_codes import Provider
from rebound.segments.domain.selections import CustomerFilter
from tests.fakes import strategies
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX, at, contact_key, customer, id_of
from tests.fakes.world import Chaos, World, always
from tests.fakes.written_times import odd_times

EVERYBODY = CustomerFilter()


def exported(world: World, format_: str = "csv", wanted: CustomerFilter = EVERYBODY) -> str:
    view = world.run_export(world.start_export(BUSINESS_ID, format_, wanted).job.export_id)
    assert view.job.status == "completed"
    assert view.download_url is not None
    return world.export_store.files[BUSINESS_ID, view.job.export_id].decode()


def people(count: int) -> list[Customer]:
    return [customer(number, email=f"n{number}@example.com", mobile_phone=None) for number in range(count)]


text = st.text(st.sampled_from("aé=+-@';,\\\" "), min_size=1, max_size=8).map(str.strip).filter(bool)


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
@given(st.lists(st.tuples(text, text, st.lists(text, max_size=3, unique=True), st.booleans()), max_size=6))
def test_importing_an_export_changes_nothing(format_: str, rows: list[tuple[str, str, list[str], bool]]) -> None:
    world = World()
    for number, (first, last, tags, named) in enumerate(rows):
        profile = {"first_name": first, "last_name": last, "general_tags": tags, "birthday": "1990-04-01"}
        more = {"external_id": f"={number}", "email": f"=n{number}@example.com", "mobile_phone": "+14155550123"}
        world.customer_service.create(BUSINESS_ID, {**profile, **(more if named else {})})
    before = dict(world.customers.rows), dict(world.contacts.rows)
    content = exported(world, format_)
    view = world.run_import(world.start_import(BUSINESS_ID, format_, content)[0].job.import_id)

    assert view.counts == RowCounts(len(rows), unchanged=len(rows))
    assert (world.customers.rows, world.contacts.rows) == before


def test_customers_who_were_deleted_come_back_from_an_export_as_they_were() -> None:
    world = World()
    world.customer_service.create(BUSINESS_ID, {"first_name": "Ana", "last_name": "Silva", "day_phone": "+14155550123"})
    [before] = world.customers.rows.values()
    content = exported(world)
    world.customer_service.delete(BUSINESS_ID, before.customer_id)
    world.run_import(world.start_import(BUSINESS_ID, "csv", content)[0].job.import_id)
    [after] = world.customers.rows.values()

    assert (after.customer_id, after.first_name, after.day_phone) == (before.customer_id, "Ana", "+14155550123")


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.sampled_from([0.05, 0.2]), st.sampled_from(["csv", "jsonl"]))
def test_an_export_whose_worker_dies_anywhere_is_the_one_whose_did_not(seed: int, death: float, format_: str) -> None:
    calm, stormy = World(), World(seed=seed)
    stormy.chaos = Chaos(death=death)
    for world in (calm, stormy):
        world.add(*people(700))

    assert exported(stormy, format_) == exported(calm, format_)


def test_an_export_that_runs_out_of_time_after_every_page_holds_everybody_once() -> None:
    world = World()
    world.add(*people(700))
    export_id = world.start_export(BUSINESS_ID, "csv", EVERYBODY).job.export_id
    calls = 1
    while not world.export_customers(BUSINESS_ID, export_id, lambda: False):
        calls += 1
    job = world.exports.get(BUSINESS_ID, export_id)
    found = list(csv.DictReader(io.StringIO(world.export_store.files[BUSINESS_ID, export_id].decode())))

    assert (calls, job.rows, len(job.parts) > 1) == (3, 700, True)
    assert sorted(row["customer_id"] for row in found) == sorted(id_of(number) for number in range(700))


def test_only_those_who_are_wanted_are_in_it_with_why_and_since_when_they_failed() -> None:
    world = World()
    world.add(*(replace(one, failed_email=number == 2) for number, one in enumerate(people(9))))
    key = replace(contact_key(1), address="n2@example.com")
    world.know(key, Failure(at(-1.000123), "m", Provider.SES, NO_SUCH_MAILBOX))
    [row] = csv.DictReader(io.StringIO(exported(world, "csv", CustomerFilter(failed="email"))))
    [line] = map(json.loads, exported(world, "jsonl", CustomerFilter(failed="email")).splitlines())

    assert (row["email"], row["failed_email"], row["failed_phone"]) == ("n2@example.com", "true", "")
    assert row["failed_email_reason"] == "bounce:mailbox_does_not_exist"
    assert row["failed_email_since"] == "2026-11-20T11:59:58.999Z"
    assert (line["failed_email"], line["failed_phone"], line["general_tags"]) == (True, None, [])
    assert line["failed_email_since"] == row["failed_email_since"]


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
@given(statements=st.lists(strategies.said, max_size=6), micros=st.integers(0, 999_999))
def test_times_in_it_are_written_as_everywhere_and_an_import_of_it_opts_nobody_in(
    format_: str, statements: list[ConsentEvidence], micros: int
) -> None:
    world = World()
    world.add(*people(1))
    later = timedelta(microseconds=micros)
    key = replace(contact_key(1), address="n0@example.com")
    world.know(key, *(replace(said, at=said.at + later) for said in statements))
    before = [contact.consent.opted_out for contact in world.contacts.rows.values()]
    content = exported(world, format_)
    world.run_import(world.start_import(BUSINESS_ID, format_, content)[0].job.import_id)

    assert list(odd_times(content)) == []
    assert [contact.consent.opted_out for contact in world.contacts.rows.values()] == before


def test_no_cell_is_a_formula_but_numbers_stay_numbers() -> None:
    world = World()
    world.add(
        replace(
            customer(1, email="=cmd@example.com"),
            first_name="=1+1",
            last_name="-Silva",
            general_tags=("@x",),
            day_phone="+14155550123",
            birthday=date(1990, 4, 1),
        )
    )
    [row] = csv.DictReader(io.StringIO(exported(world)))

    assert (row["first_name"], row["last_name"], row["general_tags"]) == ("'=1+1", "'-Silva", "'@x")
    assert (row["email"], row["day_phone"], row["birthday"]) == ("'=cmd@example.com", "+14155550123", "1990-04-01")


@pytest.mark.parametrize(("format_", "lines"), [("csv", 1), ("jsonl", 0)])
def test_an_export_of_nobody_is_a_file_all_the_same(format_: str, lines: int) -> None:
    assert len(exported(World(), format_).splitlines()) == lines


def test_a_filter_that_is_wrong_is_refused_and_starts_nothing() -> None:
    world = World()
    with pytest.raises(InvalidInputError):
        world.start_export(BUSINESS_ID, "csv", CustomerFilter(failed="fax"))

    assert world.export_runner.started == []


def test_an_export_that_failed_says_so_and_can_be_run_again() -> None:
    world = World()
    world.add(*people(3))
    export_id = world.start_export(BUSINESS_ID, "csv", EVERYBODY).job.export_id
    world.export_customers.fail(BUSINESS_ID, export_id)
    failed = world.start_export.get(BUSINESS_ID, export_id)
    done = world.run_export(export_id)
    world.export_customers.fail(BUSINESS_ID, export_id)

    assert (failed.job.status, failed.job.failure, failed.download_url) == ("failed", STOPPED, None)
    assert (done.job.status, done.job.failure, done.job.rows) == ("completed", None, 3)
    assert world.start_export.get(BUSINESS_ID, export_id) == done
    assert world.export_customers(BUSINESS_ID, export_id, always)
    assert world.export_runner.started == [(BUSINESS_ID, export_id)]


def test_a_file_that_is_about_to_go_is_not_offered_any_more() -> None:
    world = World()
    view = world.run_export(world.start_export(BUSINESS_ID, "csv", EVERYBODY).job.export_id)
    world.clock.move(KEPT + timedelta(seconds=1))

    assert view.download_url is not None
    assert world.start_export.get(BUSINESS_ID, view.job.export_id).download_url is None
