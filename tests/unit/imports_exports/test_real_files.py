"""Files as booking systems write them: an odd field costs that field, an empty cell keeps what is there."""

import csv
import io
import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.contacts.adapters.addresses import LibraryAddressReader
from rebound.customers.domain import Customer
from rebound.imports_exports.application.start_import import MAX_ERRORS, ImportView
from rebound.imports_exports.domain import ERRORS_FILE, MOST_PROBLEMS, RESULT_FILE, ImportOptions, Problem, RowCounts
from rebound.kernel.errors import InvalidInputError
from tests.fakes.making import BUSINESS_ID, business
from tests.fakes.world import World

ANA: Final = {"external_id": "A", "first_name": "Ana", "last_name": "Silva"}
FULL: Final = {
    **ANA,
    "email": "ana@example.com",
    "mobile_phone": "+14155550123",
    "day_phone": "+14155550124",
    "gender": "f",
    "birthday": "1990-04-01",
    "general_tags": "vip;new",
    "time_zone": "America/New_York",
    "language": "pt",
}
OPTIONAL: Final = sorted(FULL.keys() - ANA.keys())
KEPT: Final = ImportOptions()
CLEARS: Final = ImportOptions(clears=True)


def run(world: World, content: str, format_: str = "csv", options: ImportOptions = KEPT) -> ImportView:
    view, _ = world.start_import(BUSINESS_ID, format_, content, options)
    return world.run_import(view.job.import_id)


def as_csv(*rows: Mapping[str, str]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(name for row in rows for name in row)), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def imported(world: World, *rows: Mapping[str, str], options: ImportOptions = KEPT) -> ImportView:
    return run(world, as_csv(*rows), options=options)


def only(world: World) -> Customer:
    [customer] = world.customers.rows.values()
    return customer


def downloaded(world: World, view: ImportView, name: str) -> list[dict[str, str]]:
    content = world.export_store.files[BUSINESS_ID, view.job.file_id(name)].decode()
    return list(csv.DictReader(io.StringIO(content)))


def german() -> World:
    world = World(business(country="DE"))
    world.addresses = LibraryAddressReader()  # type: ignore[assignment]
    return world


# --- empty cells ------------------------------------------------------------------------------------------------------


@given(st.sets(st.sampled_from(OPTIONAL)), st.sets(st.sampled_from(OPTIONAL)), st.sampled_from(["", "  "]))
def test_an_empty_cell_and_an_absent_column_keep_what_is_there(empty: set[str], absent: set[str], cell: str) -> None:
    world = World()
    imported(world, FULL)
    before = dict(world.customers.rows)
    row = {name: cell if name in empty else value for name, value in FULL.items() if name not in absent}
    view = imported(world, row)

    assert (view.counts, world.customers.rows) == (RowCounts(1, unchanged=1), before)


@given(st.sets(st.sampled_from(OPTIONAL)), st.sets(st.sampled_from(OPTIONAL)), st.booleans())
def test_an_empty_cell_clears_where_the_import_says_so_and_null_always_does(
    empty: set[str], absent: set[str], json_lines: bool
) -> None:
    world = World()
    imported(world, FULL)
    before = only(world)
    row = {name: "" if name in empty else value for name, value in FULL.items() if name not in absent}
    if json_lines:
        run(world, json.dumps({name: value or None for name, value in row.items()}), "jsonl")
    else:
        imported(world, row, options=CLEARS)
    after = only(world)

    for name in OPTIONAL:
        was = getattr(before, name)
        cleared = () if name == "general_tags" else None
        assert getattr(after, name) == (cleared if name in empty - absent else was), name


@pytest.mark.parametrize("options", [KEPT, CLEARS])
@pytest.mark.parametrize("name", ["first_name", "last_name"])
def test_a_name_is_required_whatever_is_empty(name: str, options: ImportOptions) -> None:
    world = World()
    imported(world, FULL)
    view = imported(world, {**FULL, name: " "}, options=options)

    assert (view.counts, only(world).first_name) == (RowCounts(1, failed=1), "Ana")


# --- odd fields -------------------------------------------------------------------------------------------------------

ODD: Final = {
    "email": ["nonsense", "ana@", "a b@example.com", "ana@example..com", "none"],
    "mobile_phone": ["12", "call mum", "1.41556E+10", "+"],
    "day_phone": ["x", "1"],
    "gender": ["f" * 33, "f\u0007m"],
    "birthday": ["04/01/1990", "1990-02-30", "yesterday", "0000-00-00", "31.12.1990"],
    "general_tags": ["x" * 65, ";".join(map(str, range(60)))],
    "time_zone": ["Mars/Olympus", "../etc"],
    "language": ["xx", "klingon"],
}


@given(st.data(), st.sets(st.sampled_from(sorted(ODD)), min_size=1), st.booleans())
def test_an_odd_optional_field_costs_that_field_and_not_the_customer(
    data: st.DataObject, names: set[str], known: bool
) -> None:
    world = World()
    if known:
        imported(world, FULL)
    odd = {name: data.draw(st.sampled_from(ODD[name]), label=name) for name in sorted(names)}
    view = imported(world, {**FULL, **odd})
    after = only(world)

    assert view.counts == RowCounts(1, created=not known, unchanged=known, incomplete=1)
    assert {(warned.line, each.field) for warned in view.incomplete_rows for each in warned.warnings} == {
        (2, name) for name in names
    }
    assert not view.bad_rows
    empty: dict[str, Any] = {"general_tags": ()}
    for name in names:
        assert (getattr(after, name) == empty.get(name)) is not known
    for name in FULL.keys() - names:
        assert getattr(after, name)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"first_name": "x" * 101}, "first_name"),
        ({"last_name": "a\u0007b"}, "last_name"),
        ({"external_id": "x" * 129}, "external_id"),
        ({"customer_id": "17", "external_id": ""}, "customer_id"),
    ],
)
def test_what_is_required_refuses_the_row(row: dict[str, str], field: str) -> None:
    world = World()
    view = imported(world, {**FULL, **row})

    assert (view.counts, world.customers.rows) == (RowCounts(1, failed=1), {})
    assert [each.field for bad in view.bad_rows for each in bad.errors] == [field]


def test_odd_values_of_another_type_cost_their_field_in_json_too() -> None:
    world = World()
    odd = {"email": 7, "birthday": ["1990"], "general_tags": {"vip": 1}, "language": True}
    view = run(world, json.dumps({**ANA, "gender": "f", **odd}), "jsonl")

    assert view.counts == RowCounts(1, created=1, incomplete=1)
    assert sorted(each.field for bad in view.incomplete_rows for each in bad.warnings) == sorted(odd)
    assert only(world).gender == "f"


def test_the_file_of_a_booking_system_goes_in_but_for_a_date_that_may_mean_two_days() -> None:
    world = german()
    header = "external_id,first_name,last_name,email,day_phone,language,birthday\n"
    content = (
        header
        + "e1,A,Opt,e1@example.com,020 7946 0958 ext 12,,\n"
        + "e2,B,Opt,e2@example.com,,pt-BR,\n"
        + "e3,C,Opt,e3@example.com,,,04/01/1990\n"
        + "e4,D,Opt,e4@example.com,,,1990-04-01 00:00:00\n"
    )
    view = run(world, content)
    by_id = {customer.external_id: customer for customer in world.customers.rows.values()}

    assert (view.counts.created, view.counts.failed) == (4, 0)
    assert 4 in [bad.line for bad in view.incomplete_rows]
    assert by_id["e2"].language == "pt"
    assert by_id["e3"].birthday is None
    assert by_id["e4"].birthday == date(1990, 4, 1)
    again = run(world, content, options=ImportOptions(date_format="DD/MM/YYYY"))
    by_id = {customer.external_id: customer for customer in world.customers.rows.values()}
    assert again.counts.updated == 1
    assert by_id["e3"].birthday == date(1990, 1, 4)


# --- dates, languages, numbers ----------------------------------------------------------------------------------------

FORMATS: Final = {
    "DD/MM/YYYY": "%d/%m/%Y",
    "MM/DD/YYYY": "%m/%d/%Y",
    "DD.MM.YYYY": "%d.%m.%Y",
    "D.M.YYYY": "%-d.%-m.%Y",
    "M/D/YY": "%-m/%-d/%y",
    "YYYY/MM/DD": "%Y/%m/%d",
    "%d-%m-%Y": "%d-%m-%Y",
    "%m/%d/%y %H:%M": "%m/%d/%y",
    "dd/mm/yyyy hh:mm:ss": "%d/%m/%Y",
}


@given(
    st.sampled_from(sorted(FORMATS)),
    st.dates(date(1927, 1, 1), date(2026, 11, 19)),
    st.sampled_from(["", " 00:00", " 10:30:00", "T00:00:00", " 9:05 PM", "T12:00:00.000Z"]),
)
def test_a_date_is_read_in_the_format_that_the_import_names_and_in_iso(written: str, day: date, time: str) -> None:
    world = World()
    cells = [day.strftime(FORMATS[written]) + time, day.isoformat() + time]
    rows = [{**ANA, "external_id": str(number), "birthday": cell} for number, cell in enumerate(cells)]
    view = imported(world, *rows, options=ImportOptions(date_format=written))

    assert view.counts == RowCounts(2, created=2)
    assert {customer.birthday for customer in world.customers.rows.values()} == {day}


DIGITS: Final = ("0", "\uff10", "\u0660", "\u06f0", "\u0966", "\U0001d7ce")
"""The zeros of ASCII, full width, Arabic, Persian, Devanagari, and of mathematical bold."""
SHAPES: Final = {"/": "/\uff0f", ".": ".\uff0e", "-": "-\u2010\u2011\u2212\uff0d", ":": ":\uff1a", " ": " \u00a0\u3000"}


@given(
    st.sampled_from(sorted(FORMATS)),
    st.dates(date(1927, 1, 1), date(2026, 11, 19)),
    st.sampled_from(["", " 00:00", "T12:00:00"]),
    st.sampled_from(DIGITS),
    st.lists(st.sampled_from(["", "\u200b", "\u200f", "\u2060", "\ufeff", "\u00ad", "\u061c"]), min_size=3, max_size=3),
    st.data(),
)
def test_a_date_in_any_digits_and_with_marks_that_nobody_sees_is_read(
    written: str, day: date, time: str, zero: str, marks: list[str], data: st.DataObject
) -> None:
    world = World()

    def pasted(text: str) -> str:
        shown = "".join(
            chr(ord(zero) + int(each)) if each.isdigit() else data.draw(st.sampled_from(SHAPES.get(each, each)))
            for each in text
        )
        at = data.draw(st.integers(0, len(shown)))
        return marks[0] + shown[:at] + marks[1] + shown[at:] + marks[2]

    cells = [day.strftime(FORMATS[written]) + time, day.isoformat() + time]
    rows = [{**ANA, "external_id": str(number), "birthday": pasted(cell)} for number, cell in enumerate(cells)]
    opt_out = {**ANA, "external_id": "2", "email": "a@example.com", "email_opted_out": "yes"}
    rows.append({**opt_out, "email_opted_out_at": pasted("2024-05-01T10:00:00Z")})
    view = imported(world, *rows, options=ImportOptions(date_format=written))

    assert view.counts == RowCounts(3, created=3)
    assert {customer.birthday for customer in world.customers.rows.values()} == {day, None}


@pytest.mark.parametrize("written", ["DD/MM", "DD/MM/YYYY/DD", "day/month", "", "YYYY-MM-DD)(", "%j/%Y", "x" * 500])
def test_a_format_that_is_none_is_refused_before_anything_begins(written: str) -> None:
    world = World()
    with pytest.raises(InvalidInputError) as refused:
        world.start_import(BUSINESS_ID, "csv", "first_name", ImportOptions(date_format=written))

    assert [error.field for error in refused.value.errors] == ["date_format"]


@pytest.mark.parametrize("fields", [{"x": "shoe_size"}, {"": "email"}, {"x" * 300: None}, {"--": None}])
def test_columns_that_lead_nowhere_are_refused_before_anything_begins(fields: dict[str, str | None]) -> None:
    with pytest.raises(InvalidInputError, match="columns"):
        World().start_import(BUSINESS_ID, "csv", "first_name", ImportOptions(columns=fields))


def test_fields_to_protect_that_there_are_not_are_refused_before_anything_begins() -> None:
    with pytest.raises(InvalidInputError, match="protect"):
        World().start_import(BUSINESS_ID, "csv", "first_name", ImportOptions(protect=("email", "shoe_size")))


@given(
    st.sampled_from(["0151 12345678", "15112345678", "+49 151 12345678", "0151-12345678"]),
    st.sampled_from(["", ".0", ".00"]),
    st.sampled_from(["{}", '="{}"', " {} "]),
)
def test_a_number_that_a_spreadsheet_made_a_float_is_the_number(number: str, decimals: str, around: str) -> None:
    world = german()
    plain = number.replace(" ", "").replace("-", "") if decimals else number
    imported(world, {**ANA, "mobile_phone": around.format(plain + decimals)})

    assert only(world).mobile_phone == "+4915112345678"


@pytest.mark.parametrize(
    ("country", "name", "cell", "kept"),
    [
        ("DE", "mobile_phone", "4915112345678", "+4915112345678"),
        ("DE", "mobile_phone", "49 176 1234567", "+491761234567"),
        ("DE", "mobile_phone", "+49\u00a0151 12345678", "+4915112345678"),
        ("US", "mobile_phone", "\u202d+1 415 555 0123\u202c", "+14155550123"),
        ("GB", "day_phone", "020 7946 0958 ext 12", "+442079460958 ext. 12"),
        ("US", "mobile_phone", "555-0123", None),
        ("GB", "mobile_phone", "1111", None),
        ("DE", "mobile_phone", "110", None),
        ("US", "mobile_phone", "000-000-0000", None),
        ("US", "mobile_phone", "555-0123 Mom", None),
        ("DE", "mobile_phone", "0171 1234567 (Axel)", None),
    ],
)
def test_a_number_is_read_as_it_is_meant_or_costs_its_field(
    country: str, name: str, cell: str, kept: str | None
) -> None:
    world = World(business(country=country))
    world.addresses = LibraryAddressReader()  # type: ignore[assignment]
    view = imported(world, {**ANA, name: cell})

    assert getattr(only(world), name) == kept
    assert view.counts == RowCounts(1, created=1, incomplete=kept is None)


def test_a_number_of_json_is_a_number_too() -> None:
    world = german()
    run(world, json.dumps({**ANA, "mobile_phone": 15112345678.0, "day_phone": 3012345678}), "jsonl")

    assert (only(world).mobile_phone, only(world).day_phone) == ("+4915112345678", "+493012345678")


def test_digits_that_a_spreadsheet_lost_stay_lost() -> None:
    world = german()
    view = imported(world, {**ANA, "mobile_phone": "1.41556E+10"})

    assert (view.counts.incomplete, only(world).mobile_phone) == (1, None)


@pytest.mark.parametrize("cell", ["vip, new", "vip;new", " vip ; new;", "vip,,new"])
def test_tags_come_by_comma_or_semicolon(cell: str) -> None:
    world = World()
    imported(world, {**ANA, "general_tags": cell})

    assert only(world).general_tags == ("vip", "new")


# --- what is told -----------------------------------------------------------------------------------------------------


def test_the_summary_counts_all_and_the_file_of_errors_has_all() -> None:
    world = World()
    rows = [{**ANA, "external_id": f"{n}", "email": "odd" if n % 2 else ""} for n in range(1300)]
    view = imported(world, *rows, {**ANA, "external_id": "x", "first_name": ""})
    errors = downloaded(world, view, ERRORS_FILE)
    [(first, count), (second, one)] = sorted(view.problems.items(), key=lambda item: -item[1])

    assert view.counts == RowCounts(1301, created=1300, failed=1, incomplete=650)
    assert (first.kind, first.field, count) == ("warning", "email", 650)
    assert (second, one) == (Problem("error", "first_name", "Is required and cannot be empty."), 1)
    assert [bad.line for bad in view.incomplete_rows] == list(range(3, 3 + 2 * MAX_ERRORS, 2))
    assert [bad.line for bad in view.bad_rows] == [1302]
    assert len(errors) == 651
    assert [int(row["line"]) for row in errors] == sorted(int(row["line"]) for row in errors)
    assert {(row["kind"], row["field"]) for row in errors} == {("warning", "email"), ("error", "first_name")}


def test_problems_of_many_kinds_are_counted_together_in_the_end() -> None:
    world = World()
    lines = [json.dumps({**ANA, f"field {number}": "x"}) for number in range(3 * MOST_PROBLEMS)]
    view = run(world, "\n".join(lines), "jsonl")

    assert sum(view.problems.values()) == 3 * MOST_PROBLEMS
    assert len(view.problems) <= (MOST_PROBLEMS + 1) * len(world.import_ledger.parts(view.job.import_id))


def test_the_result_says_which_customer_each_row_is_in_the_order_of_the_file() -> None:
    world = World()
    rows: list[dict[str, str]] = [{**ANA, "external_id": f"=x{n}", "email": f"n{n}@example.com"} for n in range(200)]
    rows.append({"first_name": "Bo", "last_name": "None", "external_id": ""})
    rows.append({"first_name": "", "last_name": "None", "external_id": "bad"})
    view = imported(world, *rows)
    result = downloaded(world, view, RESULT_FILE)
    expected = {
        f"'{customer.external_id}" if customer.external_id else "": customer.customer_id
        for customer in world.customers.rows.values()
    }

    assert {row["external_id"]: row["customer_id"] for row in result} == expected
    assert [int(row["line"]) for row in result] == list(range(2, 203))
    assert {row["outcome"] for row in result} == {"created"}
    assert {row["outcome"] for row in downloaded(world, imported(world, *rows), RESULT_FILE)} == {"unchanged"}
    assert set(view.downloads) == {RESULT_FILE, ERRORS_FILE}


def test_once_it_is_told_in_files_no_row_says_which_id_became_whom() -> None:
    world = World()
    view = imported(world, {**ANA, "external_id": "ana@example.com"}, {**ANA, "first_name": ""})

    assert not any(map(list, world.import_ledger.reports(view.job.import_id, 40)))
    assert len(view.bad_rows) == 1


def test_an_import_in_which_nothing_is_wrong_has_no_file_of_errors() -> None:
    assert set(imported(World(), ANA).downloads) == {RESULT_FILE}


def test_a_placeholder_address_that_too_many_share_costs_the_address_alone() -> None:
    world = World()
    rows = [{**ANA, "external_id": str(n), "email": "none@example.com"} for n in range(520)]
    view = imported(world, *rows)

    assert view.counts == RowCounts(520, created=520, incomplete=20)
    assert sum(customer.email is None for customer in world.customers.rows.values()) == 20


# --- lists of opt-outs ------------------------------------------------------------------------------------------------


ADDRESSES: Final = {"email": "ana@example.com", "mobile_phone": "+14155550123"}
COLUMN: Final = {"email": "email_opted_out", "mobile_phone": "sms_opted_out"}


@pytest.mark.parametrize("field", list(ADDRESSES))
@pytest.mark.parametrize("format_", ["csv", "jsonl"])
@given(
    st.sampled_from(["marketing", "all", "yes", "loyalty, marketing"]),
    st.sampled_from(["unknown", "known", "imported later"]),
)
def test_a_list_of_opt_outs_alone_holds_whenever_the_customer_comes(
    field: str, format_: str, cell: str, when: str
) -> None:
    world = World()
    person = {**ANA, **ADDRESSES}
    if when == "known":
        imported(world, person)
    customers = dict(world.customers.rows)
    row = {field: ADDRESSES[field], COLUMN[field]: cell}
    content = as_csv(row) if format_ == "csv" else json.dumps(row)
    view = run(world, content, format_)
    again = run(world, content, format_)

    assert (view.counts, again.counts) == (RowCounts(1, updated=1), RowCounts(1, unchanged=1))
    assert world.customers.rows == customers
    if when != "known":
        assert not world.contacts.rows
        [kept] = world.contacts.hashed
        assert ADDRESSES[field] not in str(kept)
    if when == "imported later":
        imported(world, person)
    if when != "unknown":
        [key] = [key for key in only(world).contact_keys if key.address == ADDRESSES[field]]
        assert world.contacts.rows[key].consent.opted_out


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"email": "", "email_opted_out": "all"}, "email"),
        ({"email": "nonsense", "email_opted_out": "all"}, "email"),
        ({"email": "a@example.com", "email_opted_out": "perhaps"}, "email_opted_out"),
    ],
)
def test_an_opt_out_that_is_about_nobody_or_of_nothing_is_refused(row: dict[str, str], field: str) -> None:
    world = World()
    view = imported(world, row)

    assert view.counts == RowCounts(1, failed=1)
    assert [each.field for bad in view.bad_rows for each in bad.errors] == [field]
    assert (world.contacts.rows, world.contacts.hashed) == ({}, {})


def test_an_address_in_such_a_list_that_has_not_opted_out_changes_nothing() -> None:
    world = World()
    view = imported(world, {"email": "a@example.com", "email_opted_out": "no"})

    assert (view.counts, world.contacts.hashed) == (RowCounts(1, unchanged=1), {})


def test_an_opt_out_in_a_list_does_not_undo_a_later_start_when_it_says_since_when() -> None:
    world = World()
    imported(world, {"email": "a@example.com", "email_opted_out": "all", "email_opted_out_at": "2024-05-01"})
    [kept] = world.contacts.hashed.values()
    [statement] = kept.consent.statements

    assert statement.at.isoformat() == "2024-05-01T04:00:00+00:00"


def test_a_column_without_a_heading_is_nobodys_field() -> None:
    world = World()
    view = run(world, ",first_name,last_name,\n0,Ana,Silva,\n")

    assert view.counts.created == 1, view
    assert (only(world).first_name, only(world).last_name) == ("Ana", "Silva")


@pytest.mark.parametrize(
    ("cell", "opted_out"), [("1.0", True), ("t", True), ("0.0", False), ("f", False), ("-", False)]
)
def test_an_opt_out_is_read_as_data_frames_and_databases_write_it(cell: str, opted_out: bool) -> None:
    world = World()
    imported(world, {"first_name": "Ana", "last_name": "Silva", "email": "ana@example.com", "email_opted_out": cell})
    (contact,) = world.contacts.rows.values()

    assert bool(contact.consent.opted_out) is opted_out
