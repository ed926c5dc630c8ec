"""Lists, counts, previews and clean-ups over the real handlers and tables."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from rebound.consent.domain.consent import ConsentEvidence
from rebound.eligibility import wiring as eligibility_wiring
from rebound.eligibility.application.preview_audience import PreviewAudience
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.segments import wiring as segments_wiring
from rebound.segments.application.find_customers import CountCustomers
from tests.fakes import house
from tests.fakes.aws import make
from tests.fakes.making import BUSINESS_ID, at, contact_key, contacts_of, customer, id_of
from tests.integration.conftest import Context, Stack

PREVIEW: dict[str, Any] = {"filter": {"all": []}, "channel": "email", "category": "marketing"}
LATER: Mapping[str, str] = {"Prefer": "respond-async"}
SHORT_OF_TIME = Context(milliseconds=29_000)


@pytest.fixture(autouse=True)
def salon(stack: Stack) -> Stack:
    """Thirty customers: every third a VIP, every fifth with a failed address, one of them opted out."""
    for first in (1, 16):
        some = [
            customer(
                n,
                general_tags=("vip",) if n % 3 == 0 else (),
                failed_email=n % 5 == 0,
                failed_phone=n % 10 == 0,
            )
            for n in range(first, first + 15)
        ]
        house.ports().customers.save(some, contacts_of(*some))
    stop = ConsentEvidence(at(1), Scope.MARKETING, opted_out=True, source=ConsentSource.COMPLAINT)
    contact = house.ports().contacts.get_many([contact_key(3)])[contact_key(3)]
    house.ports().contacts.save(contact.with_evidence(stop))
    return stack


def run(stack: Stack, job: Mapping[str, Any]) -> dict[str, Any]:
    """What the state machine does, and how the job stands then."""
    ids = {"business_id": BUSINESS_ID, "job_id": job["job_id"]}
    while not (plan := stack.invoke("run_job", ids))["done"]:
        for index in plan["ranges"]:
            assert stack.invoke("run_job", {**ids, "range": index}, SHORT_OF_TIME) == {"done": False}
            while not stack.invoke("run_job", {**ids, "range": index})["done"]:
                pass
    answer = stack.api("GET", f"/v1/jobs/{job['job_id']}")
    assert answer.status == 200, answer.text
    body: dict[str, Any] = answer.body
    return body


def numbers(stack: Stack, **query: str) -> set[int]:
    page = stack.api("GET", "/v1/customers", query={"limit": "100", **query})
    assert page.status == 200, page.text
    return {int(item["first_name"].removeprefix("Ana")) for item in page.body["items"]}


def test_the_failed_filter_combines_with_every_other(stack: Stack) -> None:
    assert stack.api("PUT", "/v1/segments/vips", {"name": "VIPs", "filter": {"tag": "vip"}}).status == 200
    tree = json.dumps({"not": {"field": "first_name", "in": ["Ana15"]}})

    assert numbers(stack, failed="email") == {5, 10, 15, 20, 25, 30}
    assert numbers(stack, failed="both") == {10, 20, 30}
    assert numbers(stack, failed="any", tag="vip") == {15, 30}
    assert numbers(stack, failed="any", segment_id="vips") == {15, 30}
    assert numbers(stack, failed="any", segment_id="vips", filter=tree) == {30}
    assert numbers(stack, failed="any", q="ana2") == {20, 25}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"failed": "fax"}, "failed"),
        ({"segment_id": "none"}, "segment_id"),
        ({"filter": "no json"}, "filter"),
        ({"filter": "[]"}, "filter"),
        ({"filter": '{"tag": 1}'}, "filter.tag"),
        ({"filter": "[" * 5000}, "filter"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/customers", "/v1/customers/count"])
def test_a_filter_that_is_wrong_is_refused_with_its_field(
    stack: Stack, path: str, query: Mapping[str, str], field: str
) -> None:
    answer = stack.api("GET", path, query=query)

    assert (answer.status, answer.fields) == (422, [field])


def test_customers_are_counted_with_the_same_filters(stack: Stack) -> None:
    everybody = stack.api("GET", "/v1/customers/count")
    some = stack.api("GET", "/v1/customers/count", query={"failed": "phone", "tag": "vip"})

    assert (everybody.status, everybody.body) == (
        200, {"count": 30, "failed": {"phone": 3, "email": 6, "any": 6, "both": 3}},
    )  # fmt: skip
    assert some.body == {"count": 1, "failed": {"phone": 1, "email": 1, "any": 1, "both": 1}}


def test_what_cannot_be_counted_in_time_becomes_a_job_with_the_same_result(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview, count = stack.api("POST", "/v1/segments/preview", PREVIEW), stack.api("GET", "/v1/customers/count")
    no_time = timedelta()
    hasty = PreviewAudience(
        customers=house.ports().customers,
        contacts=house.ports().contacts,
        frequencies=house.ports().frequencies,
        businesses=house.ports().businesses,
        clock=house.ports().clock,
        whereabouts=house.ports().whereabouts,
        longest=no_time,
    )
    monkeypatch.setattr(eligibility_wiring.use_cases(), "preview_audience", hasty)
    count_customers = CountCustomers(customers=house.ports().customers, clock=house.ports().clock, longest=no_time)
    monkeypatch.setattr(segments_wiring.use_cases(), "count_customers", count_customers)
    jobs = [stack.api("POST", "/v1/segments/preview", PREVIEW), stack.api("GET", "/v1/customers/count")]
    done = [run(stack, job.body) for job in jobs]

    assert [job.status for job in jobs] == [202, 202]
    assert [job.body["status"] for job in jobs] == ["counting", "counting"]
    assert [job.body["audience"] for job in jobs] == [None, None]
    assert [job["status"] for job in done] == ["completed", "completed"]
    assert done[0]["audience"] == preview.body == {"matched": 30, "excluded": {"opted_out": 1}, "targeted": 29}
    assert done[1]["count"] == count.body
    assert done[0]["progress"] == {"ranges": 2, "ranges_done": 2, "looked_at": 30, "counted": 30, "handled": 0}


def test_a_client_that_would_rather_poll_gets_a_job_at_once(stack: Stack) -> None:
    preview = stack.api("POST", "/v1/segments/preview", PREVIEW, headers=LATER)
    count = stack.api("GET", "/v1/customers/count", headers={"Prefer": "wait=10, Respond-Async"})

    assert (preview.status, count.status) == (202, 202)
    executions = make("stepfunctions").list_executions(stateMachineArn=stack.settings["JOB_STATE_MACHINE_ARN"])
    names = {execution["name"] for execution in executions["executions"]}
    assert {f"{preview.body['job_id']}-1", f"{count.body['job_id']}-1"} <= names


def test_a_clean_up_with_the_wrong_number_is_refused_and_with_the_right_one_done(stack: Stack) -> None:
    refused = run(stack, stack.api("POST", "/v1/customers/bulk-delete", {"failed": "any", "confirm_count": 5}).body)
    assert (refused["status"], refused["report"], len(numbers(stack))) == ("refused", None, 30)
    assert refused["reason"] == "6 customers match now and confirm_count is 5: nothing was deleted."
    asked = stack.api("POST", "/v1/customers/bulk-delete", {"failed": "any", "confirm_count": 6})
    # The flags of these customers are copies of nothing: what decides at the end are the contacts.
    spared = run(stack, asked.body)
    assert spared["report"]["skipped"] == {"no_longer_matches": 6}
    done = run(stack, stack.api("POST", "/v1/customers/bulk-delete", {"tag": "VIP", "confirm_count": 10}).body)

    assert asked.status == 202
    assert (done["status"], done["kind"], done["reason"]) == ("completed", "bulk_delete", None)
    assert done["report"] == {"counted": 10, "deleted": 10, "skipped": {}, "failed": 0, "spared": []}
    assert done["progress"] == {"ranges": 2, "ranges_done": 2, "looked_at": 30, "counted": 10, "handled": 10}
    assert numbers(stack) == {n for n in range(1, 31) if n % 3}
    kept = [row["contact_id"]["S"] for row in stack.table("CONTACTS_TABLE")]
    assert len(kept) == 2 * 20 + 1
    assert str(contact_key(3).hashed) in kept
    assert str(contact_key(3)) not in kept


def test_an_opt_out_survives_the_clean_up_and_the_next_import(stack: Stack) -> None:
    by_id = {"customer_ids": [id_of(3)], "confirm_count": 1}
    run(stack, stack.api("POST", "/v1/customers/bulk-delete", by_id).body)
    assert stack.api("GET", f"/v1/customers/{id_of(3)}").status == 404
    back = stack.api("POST", "/v1/customers", {"first_name": "A", "last_name": "B", "email": "Ana3@Example.com"})

    assert back.body["contacts"]["email"]["opted_out"] == ["marketing"]
    assert not [row for row in stack.table("CONTACTS_TABLE") if "sha256" in row["contact_id"]["S"]]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"failed": "any"}, ["confirm_count"]),
        ({"failed": "any", "confirm_count": -1}, ["confirm_count"]),
        ({"failed": "any", "confirm_count": "6"}, ["confirm_count"]),
        ({"confirm_count": 30}, ["filter"]),
        ({"failed": "fax", "confirm_count": 1}, ["failed"]),
        ({"segment_id": "none", "confirm_count": 1}, ["segment_id"]),
        ({"filter": {"tag": 1}, "confirm_count": 1}, ["filter.tag"]),
        ({"customer_ids": [], "confirm_count": 1}, ["customer_ids"]),
        ({"customer_ids": ["x"], "confirm_count": 1}, ["customer_ids.0"]),
        ({"everybody": True, "confirm_count": 30}, ["everybody"]),
    ],
)
def test_a_clean_up_that_is_not_clear_is_refused_at_once(
    stack: Stack, body: Mapping[str, Any], fields: list[str]
) -> None:
    answer = stack.api("POST", "/v1/customers/bulk-delete", body)

    assert (answer.status, answer.fields) == (422, fields), answer.text
    assert not [row for row in stack.table("DIRECTORY_TABLE") if row["entry_id"]["S"].startswith("job#")]


def test_a_missing_number_comes_with_the_way_to_get_it(stack: Stack) -> None:
    answer = stack.api("POST", "/v1/customers/bulk-delete", {"failed": "any"})

    assert "/v1/customers/count" in answer.body["errors"][0]["message"]


def test_a_job_is_for_those_who_might_have_started_it(stack: Stack) -> None:
    clean_up = stack.api("POST", "/v1/customers/bulk-delete", {"tag": "vip", "confirm_count": 10}).body["job_id"]
    preview = stack.api("POST", "/v1/segments/preview", PREVIEW, headers=LATER).body["job_id"]

    def status(method: str, path: str, scopes: str) -> int:
        return stack.api(method, f"/v1/jobs/{path}", scopes=scopes).status

    assert status("GET", clean_up, "customers:read") == 200
    assert status("GET", clean_up, "segments:read") == 403
    assert status("GET", preview, "segments:read") == 200
    assert status("GET", preview, "customers:read") == 403
    assert status("POST", f"{clean_up}/resume", "customers:read") == 403
    assert status("POST", f"{clean_up}/resume", "customers:write") == 200
    assert status("POST", f"{preview}/resume", "segments:read") == 200
    assert stack.api("GET", f"/v1/jobs/{clean_up}", business_id="another").status == 404
    assert stack.api("GET", "/v1/jobs/unknown").status == 404
    assert stack.api("POST", "/v1/jobs/unknown/resume").status == 404


def test_a_paused_job_is_resumed_in_an_execution_of_its_own(stack: Stack) -> None:
    job = stack.api("POST", "/v1/customers/bulk-delete", {"tag": "vip", "confirm_count": 10}).body
    error = {"Error": "States.Timeout", "Cause": "…"}
    ids = {"business_id": BUSINESS_ID, "job_id": job["job_id"]}
    assert stack.invoke("run_job", {**ids, "error": error}) == {}
    paused = stack.api("GET", f"/v1/jobs/{job['job_id']}").body
    assert stack.invoke("run_job", ids) == {"ranges": [], "done": True}
    resumed = stack.api("POST", f"/v1/jobs/{job['job_id']}/resume")
    done = run(stack, job)

    assert (paused["status"], "technical error" in paused["reason"]) == ("paused", True)
    assert (resumed.status, resumed.body["status"], resumed.body["reason"]) == (200, "counting", None)
    assert (done["status"], done["report"]["deleted"]) == ("completed", 10)
    assert stack.api("POST", f"/v1/jobs/{job['job_id']}/resume").status == 409


def test_the_same_clean_up_asked_twice_is_one_job(stack: Stack) -> None:
    key = {"Idempotency-Key": "clean-up-1"}
    first, second = (
        stack.api("POST", "/v1/customers/bulk-delete", {"tag": "vip", "confirm_count": 10}, headers=key)
        for _ in range(2)
    )

    assert (first.status, second.status) == (202, 202)
    assert first.body == second.body
