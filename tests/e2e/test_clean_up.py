"""Cleaning up failed customers on the deployed stack: counted, confirmed, deleted; opt-outs stay; previews as jobs."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import pytest

from tests.e2e.rebound_api import EVERYBODY, Json, ReboundApi
from tests.e2e.surroundings import Calm
from tests.e2e.waiting import until

ENDED: Final = {"completed", "refused", "paused"}
BAD: Final = 6
LATER: Final = {"Prefer": "respond-async"}
COMPLAINS: Final = "complaint+cora@simulator.amazonses.com"


def done(api: ReboundApi, job: Json) -> Json:
    """The job when nobody works at it any more."""
    return until(
        f"job {job['job_id']} ends", lambda: api.get(f"/v1/jobs/{job['job_id']}"), lambda now: now["status"] in ENDED
    )


@pytest.fixture(scope="module")
def people(api: ReboundApi, calm: Calm) -> Mapping[str, str]:
    """Six whose mailbox does not exist, two of them VIPs; three who are well; one who complains."""
    ids = {
        f"Bad{n}": api.new_customer(
            f"Bad{n}",
            "Cleanup",
            email=f"bounce+clean{n}@simulator.amazonses.com",
            general_tags=["vip"] if n < 2 else [],
        )
        for n in range(BAD)
    }
    ids |= {f"Good{n}": api.new_customer(f"Good{n}", "Cleanup", email=f"clean{n}@example.com") for n in range(3)}
    ids["Cora"] = api.new_customer("Cora", "Cleanup", external_id="cora-1", email=COMPLAINS)
    for name in ids:
        api.new_message(ids[name], "email")
    calm.wait()
    until(
        "the copies of the flags have followed",
        lambda: api.get("/v1/customers/count", failed="email")["count"],
        lambda count: count == BAD,
    )
    return ids


def test_lists_and_counts_combine_all_filters(api: ReboundApi, people: Mapping[str, str]) -> None:
    api.put("/v1/segments/regulars", {"name": "Regulars", "filter": {"not": {"tag": "vip"}}})
    tree = quote(json.dumps({"field": "first_name", "in": ["Bad2", "Bad3", "Good1"]}))
    path = f"/v1/customers?failed=email&segment_id=regulars&filter={tree}"
    listed = api.call("GET", path).expecting(HTTPStatus.OK).json()["items"]

    assert {item["customer_id"] for item in listed} == {people["Bad2"], people["Bad3"]}
    assert api.get("/v1/customers/count", failed="any", segment_id="regulars") == {
        "count": 4,
        "failed": {"phone": 0, "email": 4, "any": 4, "both": 0},
    }
    assert api.get("/v1/customers/count", q="cleanup")["count"] == len(people)


def test_a_preview_and_a_count_in_the_background_say_the_same(api: ReboundApi, people: Mapping[str, str]) -> None:
    asked = {"filter": EVERYBODY, "channel": "email", "category": "marketing"}
    job = api.call("POST", "/v1/segments/preview", asked, LATER).expecting(HTTPStatus.ACCEPTED).json()
    count = api.call("GET", "/v1/customers/count?failed=any", headers=LATER).expecting(HTTPStatus.ACCEPTED).json()

    assert people
    assert done(api, job)["audience"] == api.preview("email")
    assert done(api, count)["count"] == api.get("/v1/customers/count", failed="any")


def test_a_clean_up_deletes_only_the_number_that_was_confirmed(
    api: ReboundApi, calm: Calm, people: Mapping[str, str]
) -> None:
    missing = api.call("POST", "/v1/customers/bulk-delete", {"failed": "email"})
    assert missing.status == HTTPStatus.UNPROCESSABLE_ENTITY
    refused = done(api, api.post("/v1/customers/bulk-delete", {"failed": "email", "confirm_count": BAD + 1}))
    assert (refused["status"], refused["report"]) == ("refused", None)
    assert f"{BAD} customers match now" in refused["reason"]
    assert api.get("/v1/customers/count", failed="email")["count"] == BAD

    completed = done(api, api.post("/v1/customers/bulk-delete", {"failed": "email", "confirm_count": BAD}))
    assert (completed["status"], completed["reason"]) == ("completed", None)
    assert completed["report"] == {"counted": BAD, "deleted": BAD, "skipped": {}, "failed": 0, "spared": []}
    left = {customer["customer_id"] for customer in api.listing("/v1/customers", q="cleanup")}
    assert left == {id_ for name, id_ in people.items() if not name.startswith("Bad")}
    calm.wait()


def test_an_opt_out_survives_the_clean_up_and_an_import(api: ReboundApi, people: Mapping[str, str]) -> None:
    assert api.contact(people["Cora"], "email")["opted_out"] == ["marketing"]
    asked = {"customer_ids": [people["Cora"]], "confirm_count": 1}
    assert done(api, api.post("/v1/customers/bulk-delete", asked))["report"]["deleted"] == 1
    assert api.call("GET", f"/v1/customers/{people['Cora']}").status == HTTPStatus.NOT_FOUND

    content = f"external_id,first_name,last_name,email\ncora-1,Cora,Again,{COMPLAINS.upper()}\n"
    started = api.post("/v1/imports", {"format": "csv", "content": content})
    until(
        "the import is over",
        lambda: api.get(f"/v1/imports/{started['import_id']}"),
        lambda job: job["status"] in {"completed", "failed"},
    )
    assert api.contact(people["Cora"], "email")["opted_out"] == ["marketing"]
    preview = api.preview("email", filter={"field": "external_id", "equals": "cora-1"})
    assert preview == {"matched": 1, "excluded": {"opted_out": 1}, "targeted": 0}
