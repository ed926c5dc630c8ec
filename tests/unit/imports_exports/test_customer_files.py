"""Files of customers: read row by row, and whatever is wrong with one is said."""

import io
import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.imports_exports.application.customer_files import (
    COLUMNS,
    Row,
    read_rows,
    read_tags,
    write_tags,
)
from rebound.imports_exports.application.file_lines import MAX_LINE, UnreadableFileError
from rebound.imports_exports.domain import FilePosition, ImportOptions

HEADER = "first_name,last_name,email\n"


def read(content: str | bytes, format_: str = "csv", start: FilePosition | None = None) -> list[Row]:
    encoded = content.encode() if isinstance(content, str) else content
    return list(read_rows(io.BytesIO(encoded[start.offset if start else 0 :]), format_, start))


def refusal(content: str | bytes) -> str:
    with pytest.raises(UnreadableFileError) as refused:
        read(content)
    return str(refused.value)


def test_columns_stay_in_the_order_that_they_have_always_had() -> None:
    order = (
        "customer_id external_id first_name last_name email mobile_phone day_phone night_phone gender birthday "
        "customer_since general_tags time_zone language email_opted_out email_opted_out_at sms_opted_out "
        "sms_opted_out_at failed_email failed_email_reason failed_email_since failed_phone failed_phone_reason "
        "failed_phone_since"
    )

    assert " ".join(name for name in COLUMNS if name in order.split()) == order


def test_a_row_has_the_number_of_the_line_where_it_begins() -> None:
    rows = read(HEADER + 'Ana,Silva,\n\n"Bo\nBo",Silva,\r\nCy,Silva\n')

    assert [row.line for row in rows] == [2, 4, 6]
    assert rows[2].error is not None


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("first_name,last_name,shoe_size,hat", ["“shoe_size”", "“hat”"]),
        ("first_name,last_name,email,email", ["“email” more than once"]),
        ("first_name,last_name,email,E-Mail", ["“email” more than once"]),
        ("first_name,", ["lacks “last_name”"]),
        ("email", ["lacks “first_name”, “last_name”"]),
        ("email,general_tags,email_opted_out", ["lacks “first_name”, “last_name”"]),
        ("a,b,c,d,e,f,g,h,i,j,k,l,m", ["and 3 more"]),
        ('first_name,last_name,"email', ["quote"]),
    ],
)
def test_a_first_line_that_does_not_name_the_columns_is_refused_with_those_that_are_wrong(
    header: str, named: list[str]
) -> None:
    message = refusal(f"{header}\nAna,Silva\n")

    assert all(name in message for name in named), message


@pytest.mark.parametrize(
    ("content", "way_out"),
    [
        (b"PK\x03\x04\x14\x00\x06\x00" + bytes(range(256)), "CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "CSV UTF-8"),
        (b"\x1f\x8b\x08\x00" + bytes(64), "Unpack"),
        (b"%PDF-1.7\n", "CSV"),
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"first_name,last_name\x81\n", "Line 1"),
    ],
)
def test_a_file_that_is_no_text_is_refused_with_the_way_out(content: bytes, way_out: str) -> None:
    assert way_out in refusal(content)


def test_what_cannot_be_read_costs_its_line() -> None:
    lines = [b"Ana,Silva,", "Zo\u00eb,Silva,".encode(), b"Bo,\xff\xfe,", b"x" * (MAX_LINE + 10), b"Cy,Silva,"]
    rows = read(HEADER.encode() + b"\n".join(lines))

    assert [row.line for row in rows if row.error] == [4, 5]
    assert [row.given["first_name"] for row in rows if row.given] == ["Ana", "Zo\u00eb", "Cy"]


names = st.text(st.sampled_from("ab\u00e9\u00df\u00fc "), min_size=1, max_size=8).filter(str.strip)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32", "utf-32-le", "utf-32-be")


@given(
    st.sampled_from(ENCODINGS),
    st.sampled_from([",", ";", "\t", "|"]),
    st.lists(st.tuples(names, names, st.sampled_from(["", "a@example.com"])), max_size=8),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["first_name", "First Name", "FIRSTNAME", "first-name"]),
    st.booleans(),
)
def test_a_file_is_read_in_every_encoding_with_every_separator(
    encoding: str, separator: str, people: list[tuple[str, str, str]], end: str, first_name: str, trailing: bool
) -> None:
    tail = separator * 2 if trailing else ""
    header = separator.join([first_name, "LAST NAME", "E-mail"]) + tail
    lines = [header, *(separator.join(person) + tail for person in people), ""]
    content = end.join(lines).encode(encoding)
    rows = read(content)

    assert [row.given for row in rows] == [
        {name: cell.strip() for name, cell in zip(("first_name", "last_name", "email"), person, strict=True) if cell}
        for person in people
    ]
    for row, after in pairwise(rows):
        assert read(content, start=row.place)[0] == after


def test_a_line_in_another_encoding_than_those_before_is_not_guessed() -> None:
    rows = read("first_name,last_name\nZo\u00eb,S\n".encode() + "Jos\u00e9,S\n".encode("cp1252"))

    assert [row.error is None for row in rows] == [True, False]


@given(
    st.sampled_from([";", ",", "\t", "|", "^"]),
    st.sampled_from(
        ["sep={0}", '"sep={0}"', "SEP={0}", 'sep="{0}"', "sep={0} ", '"sep={0}"{0}{0}', "sep={0},,,", "\ufeffsep={0}"]
    ),
    st.sampled_from(["\n", "\r\n"]),
)
def test_a_file_may_say_which_separator_it_has(separator: str, said: str, end: str) -> None:
    lines = [said.format(separator), f"first_name{separator}last_name", f"Ana{separator}Silva the; younger", ""]
    if separator == ";":
        lines[2] = "Ana;Silva, the younger"
    [row] = read(end.join(lines))

    assert row.line == 3
    assert row.given == {"first_name": "Ana", "last_name": lines[2].partition(separator)[2]}


@given(
    st.sampled_from(ENCODINGS),
    st.sampled_from(["\x1a", "\n\x1a", "\n\x1a\x1a\x1a", "\x1a\n", "\n\x1a\r\n", "\r\n\x1a\n\n"]),
    st.sampled_from(["csv", "jsonl"]),
)
def test_the_mark_at_the_end_of_a_file_of_dos_is_ignored(encoding: str, end: str, format_: str) -> None:
    content = "first_name,last_name\nAna,Silva" if format_ == "csv" else '{"first_name": "Ana", "last_name": "Silva"}'
    rows = list(read_rows(io.BytesIO((content + end).encode(encoding)), format_))

    assert [(row.error, row.given) for row in rows] == [(None, {"first_name": "Ana", "last_name": "Silva"})]


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
def test_an_import_may_say_what_the_file_calls_its_columns(format_: str) -> None:
    options = ImportOptions(
        columns={"Prenom": "first_name", "Name": "last_name", "mobile": "mobile_phone", "Note": None}
    )
    content = "PRÉNOM;name;Mobile;note\nAna;Silva;0171 1;some\n"
    if format_ == "jsonl":
        content = json.dumps({"PRÉNOM": "Ana", "name": "Silva", "Mobile": "0171 1", "note": ["some"]})
    [row] = read_rows(io.BytesIO(content.encode()), format_, options=options)

    assert row.given == {"first_name": "Ana", "last_name": "Silva", "mobile_phone": "0171 1"}


unseen = st.sampled_from(
    ["", '""', " ", "\u200b", "\ufeff", "\u00a0", "\u3000", "\u2060", '"\u200b"', "\u200e\u00ad", "\u3164"]
)


@given(st.integers(0, 40), st.sampled_from([",", ";", "\t"]), st.lists(unseen, min_size=1, max_size=5))
def test_rows_of_separators_are_no_rows(count: int, separator: str, cells: list[str]) -> None:
    header = separator.join(["first_name", "last_name", "email"])
    nothing = [separator.join(cells)] * count
    rows = read("\n".join([header, *nothing, separator.join(["Ana", "Silva", ""]), *nothing]))

    assert [row.line for row in rows] == [count + 2]


@given(unseen, st.sampled_from(["csv", "jsonl"]))
def test_a_cell_in_which_nothing_can_be_seen_is_empty(cell: str, format_: str) -> None:
    row = {"first_name": "Ana", "last_name": "Silva", "email": cell.replace('"', "")}
    content = json.dumps(row) if format_ == "jsonl" else f"first_name,last_name,email\nAna,Silva,{cell}"
    [read_] = read_rows(io.BytesIO(content.encode()), format_)

    assert read_.given == {"first_name": "Ana", "last_name": "Silva"}


# --- quotes -----------------------------------------------------------------------------------------------------------

STRAY = ['"Bob" Robert', 'Bo"b', '"Bo"b"', 'Bob"', '"a" "b" c']


@pytest.mark.parametrize("stray", STRAY)
@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 2))
def test_a_stray_quote_costs_its_row(stray: str, before: int, after: int, column: int) -> None:
    cells = ["A", "B", "c@example.com"]
    cells[column] = stray
    good = [f"N{number},Silva,n{number}@example.com" for number in range(before + after)]
    rows = read(HEADER + "\n".join([*good[:before], ",".join(cells), *good[before:]]))

    assert [row.line for row in rows if row.error] == [before + 2]
    assert len(rows) == before + after + 1


@given(st.integers(0, 30), st.integers(0, 400), st.sampled_from(["", '"Zoe, Jr.",S,', '"","",""', '"Q","Q",q@e.com']))
def test_an_unclosed_quote_is_named_by_its_line_and_costs_no_other_row(before: int, after: int, last: str) -> None:
    good = [f"N{number},Silva," for number in range(before + after)]
    rows = read(HEADER + "\n".join([*good[:before], '"Bea,Open,', *good[before:], last]) + "\n")
    has_last = bool(last.strip('",'))

    assert [row.line for row in rows if row.error] == [before + 2]
    assert "quote" in str(rows[before].error)
    assert len(rows) == before + after + 1 + has_last


def test_a_quote_that_another_row_seems_to_close_costs_the_two_rows_alone() -> None:
    rows = read(HEADER + 'A,Silva,\n"Bea,Open,\nC,Silva,\nD,Silva,\nZoe",Silva,\nF,Silva,\n')

    assert [row.line for row in rows if row.error] == [3, 6]
    assert [row.given["first_name"] for row in rows if row.given] == ["A", "C", "D", "F"]


def test_quotes_within_a_cell_that_belong_together_are_text() -> None:
    rows = read(HEADER + 'Bob "The Man" R,Silva,\n "Ana, Jr." ,Silva,\n"Say ""hi""",S,\n')

    assert [row.given["first_name"] for row in rows if row.given] == ['Bob "The Man" R', "Ana, Jr.", 'Say "hi"']


def test_a_quote_that_opens_in_the_last_line_of_a_row_is_named_by_that_line() -> None:
    options = ImportOptions(columns={"note": None})
    content = 'first_name,note,last_name\nA,"one\ntwo","Open\nB,x,Silva\n'
    rows = list(read_rows(io.BytesIO(content.encode()), "csv", options=options))

    assert [(row.line, row.error is None) for row in rows] == [(3, False), (4, True)]


def test_notes_of_several_lines_are_skipped_with_their_column() -> None:
    options = ImportOptions(columns={"note": None})
    content = 'first_name,last_name,note\nA,Silva,"one\ntwo, too\nx,y,z\nthree"\nB,Silva,\n'
    rows = list(read_rows(io.BytesIO(content.encode()), "csv", options=options))

    assert [row.given["first_name"] for row in rows if row.given] == ["A", "B"]


@given(st.text(st.sampled_from('ab,"\n\r ;\t'), max_size=60))
def test_whatever_the_quotes_each_line_is_in_one_row_at_most_and_reading_goes_on_behind_any(text: str) -> None:
    content = f"first_name,last_name\n{text}\nAna,Silva\n"
    rows = read(content)
    lines = [row.line for row in rows]

    assert lines == sorted(set(lines))
    for row, after in pairwise(rows):
        assert read(content, start=row.place)[0] == after


def test_a_line_of_json_that_is_too_long_is_one_bad_row() -> None:
    rows = read("\n".join(['{"a": "' + "x" * 3 * MAX_LINE + '"}', '{"first_name": "Ana"}']), "jsonl")

    assert [(row.line, row.error is None) for row in rows] == [(1, False), (2, True)]


def test_what_an_export_adds_is_skipped_but_for_the_customer() -> None:
    [row] = read(f"customer_id,first_name,last_name,failed_email,failed_phone_since\n{'a' * 32},Ana,Silva,true,x\n")
    [line] = read(json.dumps({"customer_id": None, "first_name": "Ana", "failed_email": True}), "jsonl")

    assert (row.customer_id, row.given) == ("a" * 32, {"first_name": "Ana", "last_name": "Silva"})
    assert (line.customer_id, line.given) == (None, {"first_name": "Ana"})


cells = st.text(st.sampled_from("a\u00e9\",;\\' =+\u2028"), max_size=6)


@given(st.lists(st.tuples(cells, cells), max_size=12), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_a_file_opened_behind_any_of_its_rows_goes_on_with_the_next(
    people: list[tuple[str, str]], mark: bool, end: str
) -> None:
    people = [(f"{first}.", f"{last}\n.") for first, last in people]
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in person) for person in people]
    content = ("\ufeff" if mark else "") + end.join(["first_name,last_name", *lines, ""])
    rows = read(content)

    assert len(rows) == len(people)
    for row, after in pairwise(rows):
        assert read(content, start=row.place)[0] == after


@given(st.lists(st.text(st.sampled_from("ab;,\\ '"), min_size=1).map(str.strip).filter(bool), max_size=5))
def test_tags_come_back_from_a_cell_as_they_went_in(tags: list[str]) -> None:
    assert read_tags(write_tags(tags)) == tags


@pytest.mark.parametrize(
    ("cell", "tags"),
    [
        ("vip; new;;a\\b", ["vip", " new", "a\\b"]),
        ("vip, new", ["vip", " new"]),
        ("O'Hara, Jr.; new", ["O'Hara, Jr.", " new"]),
        ("O'Hara\\, Jr.", ["O'Hara, Jr."]),
        (" ; ;", []),
    ],
)
def test_tags_are_parted_by_semicolons_or_commas(cell: str, tags: list[str]) -> None:
    assert read_tags(cell) == tags


@pytest.mark.parametrize(
    ("cell", "value"), [('="0171 1234567"', "0171 1234567"), ("'+49171", "+49171"), ("''=x", "'=x")]
)
def test_what_keeps_a_spreadsheet_from_counting_is_taken_off(cell: str, value: str) -> None:
    [row] = read(f"first_name,last_name,mobile_phone\nA,B,{cell}\n")

    assert (row.given or {})["mobile_phone"] == value
