"""Exporting customers, and importing what was exported."""

import csv
import io
from collections.abc import Iterable

import pytest

from tests.e2e.rebound_api import Json, ReboundApi, exchange
from tests.e2e.surroundings import Calm, Operator
from tests.e2e.test_imports import imported, uploaded
from tests.e2e.waiting import until

ROWS = [
    "external_id,first_name,last_name,email,mobile_phone,general_tags",
    "x-1,=Ana,Silva,ana.export@example.com,(415) 555-0171,vip;a\\;b",
    'x-2,"Bo, ""B""",Zoë,bounce+export@simulator.amazonses.com,,vip',
    "x-3,Cy,Silva,,,",
    ",Di,NoId,di.export@example.com,,",
]


@pytest.fixture(scope="module")
def api(operator: Operator) -> ReboundApi:
    """A business of its own, whose list is known."""
    made = operator.new_business("Exports")
    assert imported(made, "csv", "\n".join(ROWS))["counts"]["created"] == 4
    return made


def exported(api: ReboundApi, format_: str, **wanted: object) -> tuple[Json, bytes]:
    accepted = api.post("/v1/exports", {"format": format_, **wanted})
    done = until(
        "the export has ended",
        lambda: api.get(f"/v1/exports/{accepted['export_id']}"),
        lambda export: export["status"] in {"completed", "failed"},
        120,
    )
    assert done["status"] == "completed"
    return done, exchange("GET", done["download_url"]).expecting(200).body


def listed(customers: Iterable[Json]) -> list[Json]:
    return sorted(customers, key=lambda customer: str(customer["customer_id"]))


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
def test_what_was_exported_can_be_imported_again_and_changes_nothing(api: ReboundApi, format_: str) -> None:
    before = listed(api.listing("/v1/customers"))
    export, content = exported(api, format_)
    again = uploaded(api, format_, content)

    assert export["rows"] == len(before) == 4
    assert again["counts"] == {"rows": 4, "created": 0, "updated": 0, "unchanged": 4, "failed": 0, "incomplete": 0}
    assert listed(api.listing("/v1/customers")) == before


def test_a_list_of_failed_contacts_says_why_and_since_when(api: ReboundApi, calm: Calm) -> None:
    [flagged] = [c["customer_id"] for c in api.listing("/v1/customers") if c["external_id"] == "x-2"]
    api.new_message(flagged, "email")
    until("flagged", lambda: api.contact(flagged, "email")["invalid"], bool)
    calm.wait()
    contact = api.contact(flagged, "email")
    until("the list shows it", lambda: api.listing("/v1/customers", failed="email"), bool)
    export, content = exported(api, "csv", failed="email")
    [row] = csv.DictReader(io.StringIO(content.decode()))

    assert export["rows"] == 1
    assert (row["customer_id"], row["failed_email"], row["failed_email_reason"]) == (
        flagged,
        "true",
        contact["reason"],
    )
    assert row["failed_email_since"][:19] == contact["since"][:19]
