"""Files of customers: read row by row, and whatever is wrong with one is said."""

import io
import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.imports_exports.application.customer_files import (
    COLUMNS,
    MAX_LINE,
    Row,
    UnreadableFileError,
    read_rows,
    read_tags,
    write_tags,
)
from rebound.imports_exports.domain import FilePosition

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
        ("first_name", ["lacks “last_name”"]),
        ("email", ["lacks “first_name”, “last_name”"]),
        ("first_name;last_name", ["“first_name;last_name”", "lacks “first_name”, “last_name”"]),
        ("first_name,last_name,", ["“”"]),
        ("a,b,c,d,e,f,g,h,i,j,k,l,m", ["and 3 more"]),
        ("", ["empty"]),
    ],
)
def test_a_first_line_that_does_not_name_the_columns_is_refused_with_those_that_are_wrong(
    header: str, named: list[str]
) -> None:
    message = refusal(f"{header}\nAna,Silva\n")

    assert all(name in message for name in named), message


@pytest.mark.parametrize("wrong", [b'Ana,"Silva', b"Ana,\xff\xfe", b"x" * (MAX_LINE + 10)])
def test_a_file_that_is_no_text_or_no_csv_is_refused_with_the_line(wrong: bytes) -> None:
    assert "ine " in refusal(HEADER.encode() + wrong)


def test_a_line_of_json_that_is_too_long_is_one_bad_row() -> None:
    rows = read("\n".join(['{"a": "' + "x" * 3 * MAX_LINE + '"}', '{"first_name": "Ana"}']), "jsonl")

    assert [(row.line, row.error is None) for row in rows] == [(1, False), (2, True)]


def test_what_an_export_adds_is_skipped_but_for_the_customer() -> None:
    [row] = read(f"customer_id,first_name,last_name,failed_email,failed_phone_since\n{'a' * 32},Ana,Silva,true,x\n")
    [line] = read(json.dumps({"customer_id": None, "first_name": "Ana", "failed_email": True}), "jsonl")

    assert (row.customer_id, row.given) == ("a" * 32, {"first_name": "Ana", "last_name": "Silva"})
    assert (line.customer_id, line.given) == (None, {"first_name": "Ana"})


cells = st.text(st.sampled_from("aé\n\r\",;\\' =+\u2028"), max_size=6)


@given(st.lists(st.tuples(cells, cells), max_size=12), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_a_file_opened_behind_any_of_its_rows_goes_on_with_the_next(
    people: list[tuple[str, str]], mark: bool, end: str
) -> None:
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in person) for person in people]
    content = ("\ufeff" if mark else "") + end.join(["first_name,last_name", *lines, ""])
    rows = read(content)

    assert len(rows) == len(people)
    for row, after in pairwise(rows):
        assert read(content, start=row.place)[0] == after


@given(st.lists(st.text(st.sampled_from("ab;\\ '"), min_size=1).map(str.strip).filter(bool), max_size=5))
def test_tags_come_back_from_a_cell_as_they_went_in(tags: list[str]) -> None:
    assert read_tags(write_tags(tags)) == tags


def test_tags_are_parted_by_semicolons() -> None:
    assert read_tags("vip; new;;a\\b") == ["vip", " new", "a\\b"]
