"""Importing customers: good rows go in, bad ones are reported, and doing it again changes nothing."""

import csv
import io
import json
from typing import Final

import pytest

from tests.e2e.rebound_api import Json, ReboundApi, exchange
from tests.e2e.surroundings import Calm, Operator
from tests.e2e.waiting import until

CSV: Final = """\
external_id,first_name,last_name,email,mobile_phone,general_tags,birthday
c-1,Ana,Silva,ana.import@example.com,+14155550141,vip;colour,1990-04-01
c-2,"O'Hara, Jr.",Zoë,zoe.import@example.com,(415) 555-0142,,
c-3,,Nameless,nameless@example.com,,,
c-4,Bo,Badmail,not-an-address,,,
c-5,Cy,Badphone,,12,,
c-6,Di,Baddate,,,,1990-02-30
c-7,Flo,Flagged,bounce+import@simulator.amazonses.com,,,
c-8,Too,Few
c-9,Gus,Nothing,,,,
"""
BAD_LINES: Final = {4: "first_name", 9: "row"}
ODD_LINES: Final = {5: "email", 6: "mobile_phone", 7: "birthday"}
LARGE: Final = 2500
GOOD_ROWS: Final = {"c-1", "c-2", "c-4", "c-5", "c-6", "c-7", "c-9"}

JSON_LINES: Final = "\n".join(
    [
        json.dumps({"external_id": "j-1", "first_name": "Ida", "last_name": "Jones", "general_tags": ["vip"]}),
        "{not json",
        json.dumps({"external_id": "j-2", "first_name": "Jo", "last_name": "Jones", "shoe_size": 38}),
        json.dumps({"external_id": "j-3", "first_name": "Kim", "last_name": 7}),
        "",
        json.dumps({"external_id": "j-4", "first_name": "Lou", "last_name": "Jones", "email": "lou@example.com"}),
        json.dumps(["j-5"]),
    ]
)


def ended(api: ReboundApi, import_id: str) -> Json:
    """The import once it has come to its end."""
    return until(
        "the import has ended",
        lambda: api.get(f"/v1/imports/{import_id}"),
        lambda job: job["status"] in {"completed", "failed"},
    )


def imported(api: ReboundApi, format_: str, content: str) -> Json:
    """The end of an import that came with its content."""
    accepted = api.post("/v1/imports", {"format": format_, "content": content})
    assert accepted["status"] != "failed"
    return ended(api, accepted["import_id"])


def uploaded(api: ReboundApi, format_: str, content: bytes) -> Json:
    """The end of an import whose content was put where the API said."""
    accepted = api.post("/v1/imports", {"format": format_})
    exchange("PUT", accepted["upload_url"], content).expecting(200)
    return ended(api, accepted["import_id"])


def _counts(rows: int, **more: int) -> dict[str, int]:
    return {"rows": rows, **dict.fromkeys(("created", "updated", "unchanged", "failed", "incomplete"), 0), **more}


def _customers(api: ReboundApi, prefix: str, **query: str) -> dict[str, Json]:
    found = [c for c in api.listing("/v1/customers", **query) if (c["external_id"] or "").startswith(prefix)]
    customers = {customer["external_id"]: customer for customer in found}
    assert len(customers) == len(found), "the same customer is there twice"
    return customers


@pytest.fixture(scope="module")
def first_csv(api: ReboundApi) -> Json:
    return imported(api, "csv", CSV)


def test_good_rows_of_a_csv_file_go_in_and_bad_ones_are_reported_with_line_and_field(
    api: ReboundApi, first_csv: Json
) -> None:
    assert first_csv["status"] == "completed"
    assert first_csv["counts"] == _counts(9, created=7, failed=2, incomplete=3)
    for told, lines in (("errors", BAD_LINES), ("warnings", ODD_LINES)):
        assert {each["line"]: each["field"] for each in first_csv[told]} == lines
        for each in first_csv[told]:
            assert set(each) == {"line", "field", "message"}
            assert each["message"]
    assert {(each["kind"], each["field"], each["count"]) for each in first_csv["summary"]} == {
        *(("error", field, 1) for field in BAD_LINES.values()),
        *(("warning", field, 1) for field in ODD_LINES.values()),
    }
    customers = _customers(api, "c-")
    assert set(customers) == GOOD_ROWS
    assert customers["c-1"]["general_tags"] == ["vip", "colour"]
    assert customers["c-1"]["birthday"] == "1990-04-01"
    assert (customers["c-2"]["first_name"], customers["c-2"]["last_name"]) == ("O'Hara, Jr.", "Zoë")
    assert customers["c-2"]["mobile_phone"] == "+14155550142"
    assert customers["c-9"]["contacts"] == {"email": None, "sms": None}


def test_importing_the_same_file_again_clears_no_flag_and_makes_nobody_twice(
    api: ReboundApi, calm: Calm, first_csv: Json
) -> None:
    assert first_csv["status"] == "completed"
    flagged = _customers(api, "c-")["c-7"]["customer_id"]
    api.new_message(flagged, "email")
    until("flagged", lambda: api.contact(flagged, "email")["invalid"], bool)
    calm.wait()
    # The flag comes to the customer over a stream, and changes when they were updated.
    until("the flag is copied", lambda: "c-7" in _customers(api, "c-", failed="email"), bool)
    before = _customers(api, "c-")
    again = imported(api, "csv", CSV)
    assert again["counts"] == _counts(9, unchanged=7, failed=2, incomplete=3)
    after = _customers(api, "c-")
    assert after == before
    assert after["c-7"]["contacts"]["email"]["reason"] == "bounce:mailbox_does_not_exist"


def test_a_row_with_another_address_changes_the_customer(api: ReboundApi, first_csv: Json) -> None:
    assert first_csv["status"] == "completed"
    before = _customers(api, "c-")["c-9"]
    job = imported(api, "csv", "external_id,first_name,last_name,email\nc-9,Gus,Something,gus@example.com\n")
    assert job["counts"] == _counts(1, updated=1)
    after = _customers(api, "c-")["c-9"]
    assert (after["customer_id"], after["last_name"]) == (before["customer_id"], "Something")
    assert after["contacts"]["email"]["address"] == "gus@example.com"


def test_good_lines_of_json_go_in_and_bad_ones_are_reported(api: ReboundApi) -> None:
    job = imported(api, "jsonl", JSON_LINES)
    assert job["status"] == "completed"
    assert job["counts"] == _counts(6, created=2, failed=4)
    assert sorted(error["line"] for error in job["errors"]) == [2, 3, 4, 7]
    assert {error["line"]: error["field"] for error in job["errors"]}[4] == "last_name"
    assert set(_customers(api, "j-")) == {"j-1", "j-4"}


def test_the_same_customer_twice_in_one_file_is_one_customer_and_the_later_row_holds(api: ReboundApi) -> None:
    rows = "t-1,Tia,First,tia1@example.com\nt-2,Tom,Other,\nt-1,Tia,Second,tia2@example.com\n"
    job = imported(api, "csv", f"external_id,first_name,last_name,email\n{rows}")
    counts = job["counts"]
    assert (job["status"], counts["rows"], counts["failed"]) == ("completed", 3, 0)
    assert counts["created"] + counts["updated"] + counts["unchanged"] == 3
    customers = _customers(api, "t-")
    assert {external_id: customer["last_name"] for external_id, customer in customers.items()} == {
        "t-1": "Second",
        "t-2": "Other",
    }
    assert customers["t-1"]["contacts"]["email"]["address"] == "tia2@example.com"


def test_hostile_rows_are_reported_and_the_others_go_in(api: ReboundApi) -> None:
    lines = [
        "[" * 20_000,
        '{"external_id": "h-1", "first_name": "Hal", "last_name": "x", "general_tags": ["\\ud800"]}',
        '{"external_id": "h-2", "first_name": "\\ud800", "last_name": "x"}',
        '{"external_id": "h-3", "first_name": NaN, "last_name": "x"}',
        '{"external_id": "h-4", "first_name": "Hue", "last_name": "' + "x" * 100_000 + '"}',
        '{"external_id": "h-5", "first_name": "Hope", "last_name": "Good"}',
    ]
    job = imported(api, "jsonl", "\n".join(lines))
    assert job["status"] == "completed"
    assert sorted({error["line"] for error in job["errors"]}) == [1, 3, 4, 5]
    assert sorted({warning["line"] for warning in job["warnings"]}) == [2]
    assert job["counts"] == _counts(6, created=2, failed=4, incomplete=1)
    assert set(_customers(api, "h-")) == {"h-1", "h-5"}


def test_a_file_can_be_uploaded_to_the_address_that_the_import_names(api: ReboundApi) -> None:
    rows = [f"u-{number},Una,Upload,una{number}@example.com" for number in range(60)]
    content = "\ufeffexternal_id,first_name,last_name,email\r\n" + "\r\n".join(rows) + "\r\n"
    job = uploaded(api, "csv", content.encode())
    assert job["status"] == "completed"
    assert job["counts"] == _counts(60, created=60)
    assert job["errors"] == []
    assert len(_customers(api, "u-")) == 60


def _large_file() -> tuple[bytes, dict[int, str], dict[str, str]]:
    """A file of several parts: its bytes, the field of each bad line, and the last name that ends up in each id."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["external_id", "first_name", "last_name", "email", "general_tags"])
    line, bad, last_names = 2, {}, {}
    tags = ";".join(f"tag {number} of many" for number in range(18))
    for number in range(LARGE):
        row = [f"l-{number % (LARGE - 100)}", "Lia", f"Name {number}", f"lia{number}@example.com", tags]
        if number % 500 == 250:
            row[1], bad[line] = "two\nlines", "first_name"
        elif number % 500 == 350:
            row[2], bad[line] = "x" * 101, "last_name"
        else:
            last_names[row[0]] = row[2]
        writer.writerow(row)
        line += 1 + row[1].count("\n")
    return out.getvalue().encode(), bad, last_names


def test_a_large_file_goes_in_by_parts_with_each_bad_row_named_and_the_last_row_of_a_customer_holding(
    operator: Operator,
) -> None:
    api = operator.new_business("Large list")
    content, bad, last_names = _large_file()
    accepted = api.post("/v1/imports", {"format": "csv"})
    assert accepted["progress"] == {"rows_read": 0, "all_read": False, "rows_done": 0}
    exchange("PUT", accepted["upload_url"], content).expecting(200)
    seen: list[Json] = []

    def look() -> Json:
        job = api.get(f"/v1/imports/{accepted['import_id']}")
        assert job["counts"]["rows"] == job["progress"]["rows_done"] <= job["progress"]["rows_read"]
        seen.append(job)
        return job

    job = until("the import has ended", look, lambda job: job["status"] in {"completed", "failed"}, 300)
    assert job["status"] == "completed"
    assert job["progress"] == {"rows_read": LARGE, "all_read": True, "rows_done": LARGE}
    assert [(error["line"], error["field"]) for error in job["errors"]] == sorted(bad.items())
    overridden = LARGE - len(bad) - len(last_names)
    assert job["counts"] == _counts(LARGE, created=len(last_names), unchanged=overridden, failed=len(bad))
    result = exchange("GET", job["result_url"]).expecting(200).body.decode().splitlines()
    errors = exchange("GET", job["errors_url"]).expecting(200).body.decode().splitlines()
    assert len(result) == 1 + len(last_names)
    assert [int(row.split(",")[0]) for row in errors[1:]] == sorted(bad)
    assert any(0 < job["counts"]["rows"] < LARGE for job in seen), "no progress could be seen"
    found = {customer["external_id"]: customer["last_name"] for customer in api.listing("/v1/customers")}
    assert found == last_names


@pytest.mark.parametrize(
    "content",
    [
        b"external_id,first_name,shoe_size\nx-1,Xi,38\n",
        b"",
        b"PK\x03\x04\x14\x00\x06\x00" + bytes(200),
        "external_id,first_name,last_name\nx-1,Xi,Good\n".encode("utf-16")[:-1],
    ],
    ids=["a column that there is not", "an empty file", "a workbook", "half a character at the end"],
)
def test_a_file_that_cannot_be_read_fails_with_a_reason_and_changes_nothing(api: ReboundApi, content: bytes) -> None:
    job = uploaded(api, "csv", content)
    assert job["status"] == "failed"
    assert job["reason"]
    assert not _customers(api, "x-")
