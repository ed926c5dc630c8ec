"""How a file begins: its columns, what each is taken for, and the first values, whatever wrote it."""

import csv
import io
import json
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.imports_exports.application.bring_file import (
    HEAD,
    MAX_VALUE,
    MOST_ROWS,
    BringFile,
    FileColumn,
    dates_written,
    head_of,
)
from rebound.imports_exports.application.file_lines import UnreadableFileError
from rebound.imports_exports.domain import ImportJob, ImportOptions
from rebound.kernel.errors import InvalidInputError, NotFoundError
from tests.contract.imports_exports.fakes import MemoryImportsExportsPorts
from tests.fakes.making import BUSINESS_ID

MAPPED = ImportOptions(columns={"Colour": None})
LIST = b"first_name,last_name,Colour\nAnna,Berg,red\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_columns_are_read_with_their_first_values(encoding: str, separator: str) -> None:
    lines = [["E-Mail", "Straße", "", "failed_email"], ["a@x.test", "", "7", "true"], ["b@x.test", "Weg", "8", ""]]
    text = "".join(separator.join(line) + "\r\n" for line in lines)

    head = head_of(text.encode(encoding))

    assert head.format == "csv"
    assert head.columns == [
        FileColumn("E-Mail", "email", ["a@x.test", "b@x.test"]),
        FileColumn("Straße", None, ["Weg"]),
        # No import changes a flag.
        FileColumn("failed_email", None, ["true"]),
    ]


def test_objects_are_read_by_their_names_and_groups_need_none() -> None:
    rows = [
        {"first_name": "Anna", "address": {"city": "Bern"}, "Points": 7},
        {"first_name": "Bo", "Points": None, "Tags": ["a"]},
    ]

    head = head_of("\n".join(["", *map(json.dumps, rows), "{broken"]).encode())

    assert head.format == "jsonl"
    assert head.columns == [
        FileColumn("first_name", "first_name", ["Anna", "Bo"]),
        FileColumn("Points", None, ["7"]),
        FileColumn("Tags", None, ['["a"]']),
    ]


@given(
    st.lists(
        st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20), min_size=2, max_size=6, unique=True
    ),
    st.lists(st.lists(st.text(max_size=80), min_size=6, max_size=6), max_size=9),
)
def test_whatever_a_list_holds_its_page_is_small(names: list[str], rows: list[list[str]]) -> None:
    written = io.StringIO()
    csv.writer(written).writerows([names, *(row[: len(names)] for row in rows)])

    head = head_of(written.getvalue().encode(errors="replace"))

    assert len(head.columns) <= len(names)
    for column in head.columns:
        assert len(column.values) <= MOST_ROWS
        assert all(0 < len(value) <= MAX_VALUE for value in column.values)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([], (None, None)),
        (["1990-03-31"], (None, None)),
        (["1990-03-31", "31/03/1990"], ("DD/MM/YYYY", "31/03/1990")),
        (["03/04/1990", "31/03/1990"], ("DD/MM/YYYY", "03/04/1990")),
        (["03/31/1990"], ("MM/DD/YYYY", "03/31/1990")),
        (["31.03.1990"], ("DD.MM.YYYY", "31.03.1990")),
        (["1990/03/31"], ("YYYY/MM/DD", "1990/03/31")),
        # Either of two, and none.
        (["03/04/1990"], (None, "03/04/1990")),
        (["03/31/1990", "31/03/1990"], (None, "03/31/1990")),
        (["spring"], (None, "spring")),
    ],
)
def test_how_dates_are_written_is_said_where_it_can_be_told(
    values: list[str], found: tuple[str | None, str | None]
) -> None:
    assert dates_written(values, date(2026, 1, 1)) == found


@given(st.binary(max_size=200))
def test_whatever_was_sent_it_is_read_or_said_to_be_unreadable(content: bytes) -> None:
    with suppress(UnreadableFileError):
        assert {column.name for column in head_of(content).columns} != {""}


def test_only_the_beginning_is_read() -> None:
    ports = MemoryImportsExportsPorts()
    draft_id = _brought(ports, LIST + b"Bo,Berg,blue\n" * (HEAD // 8))
    head = _bring(ports).look(BUSINESS_ID, draft_id)
    assert [column.values for column in head.columns][2] == ["red", *["blue"] * (MOST_ROWS - 1)]


def test_a_file_is_imported_once_as_somebody_says() -> None:
    ports = MemoryImportsExportsPorts()
    draft_id = _brought(ports, LIST)
    job = _bring(ports)(BUSINESS_ID, draft_id, MAPPED, "owner@x.test")
    assert job == ImportJob(BUSINESS_ID, draft_id, "csv", "queued", job.created_at, options=MAPPED, by="owner@x.test")
    assert ports.import_store.open(BUSINESS_ID, draft_id).content.read() == LIST
    other = _bring(ports)(BUSINESS_ID, draft_id, ImportOptions(columns={"Colour": "gender"}), "else@x.test")
    assert other == job == ports.imports.get(BUSINESS_ID, draft_id)


@pytest.mark.parametrize(
    ("content", "options", "field"),
    [
        (LIST, ImportOptions(), "columns"),
        (b"first_name\nAnna\n", ImportOptions(), "columns"),
        (b"", ImportOptions(), "columns"),
        (b"%PDF-1.7", ImportOptions(), "columns"),
        (LIST, ImportOptions(columns={f"c{number}": None for number in range(201)}), "columns"),
        (LIST, ImportOptions(columns={"Colour": "colour"}), "columns.Colour"),
        (LIST, ImportOptions(columns={"Colour": None}, date_format="now"), "date_format"),
        (LIST, ImportOptions(columns={"Colour": None}, protect=("points",)), "protect"),
    ],
)
def test_what_cannot_be_imported_is_refused_and_nothing_begins(
    content: bytes, options: ImportOptions, field: str
) -> None:
    ports = MemoryImportsExportsPorts()
    draft_id = _brought(ports, content)
    with pytest.raises(InvalidInputError) as refused:
        _bring(ports)(BUSINESS_ID, draft_id, options, None)
    assert [error.field for error in refused.value.errors] == [field]
    assert list(ports.imports.newest(BUSINESS_ID, 9)) == []
    with pytest.raises(NotFoundError):
        ports.import_store.open(BUSINESS_ID, draft_id)


@pytest.mark.parametrize("draft_id", ["", "x", "../other/1", "0" * 26])
def test_what_is_no_draft_is_not_found(draft_id: str) -> None:
    ports = MemoryImportsExportsPorts()
    ports.import_store.drafts[BUSINESS_ID, "x"] = LIST
    with pytest.raises(NotFoundError):
        _bring(ports).look(BUSINESS_ID, draft_id)


def _brought(ports: MemoryImportsExportsPorts, content: bytes) -> str:
    draft_id = _bring(ports).new_id()
    ports.import_store.drafts[BUSINESS_ID, draft_id] = content
    return draft_id


def _bring(ports: MemoryImportsExportsPorts) -> BringFile:
    return BringFile(imports=ports.imports, store=ports.import_store, clock=ports.clock, ids=ports.ids)
