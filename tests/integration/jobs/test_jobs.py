"""Lists, counts, previews and clean-ups over the real handlers and tables."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

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
        summaries=house.ports().summaries,
        frequencies=house.ports().frequencies,
        businesses=house.ports().businesses,
        clock=house.ports().clock,
        whereabouts=house.ports().whereabouts,
        bulk_days=house.ports().bulk_days,
        template_contents=eligibility_wiring.use_cases().template_contents,
        pin_filters=eligibility_wiring.use_cases().pin_filters,
        longest=no_time,
    )
    monkeypatch.setattr(eligibility_wiring.use_cases(), "preview_audience", hasty)
    count_customers = CountCustomers(
        customers=house.ports().customers,
        contacts=house.ports().contacts,
        summaries=house.ports().summaries,
        clock=house.ports().clock,
        longest=no_time,
    )
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
        ({"customer_ids": ["x"], "confirm_count": 1}, ["customer_ids[0]"]),
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


BIRTHDAY: dict[str, Any] = {**PREVIEW, "content": {"subject": "##{{birthday}}", "text": "Happy birthday"}}


def named(stack: Stack, asked: Mapping[str, Any], **query: str) -> list[dict[str, Any]]:
    """All pages of whom a message would reach or not."""
    found: list[dict[str, Any]] = []
    while True:
        page = stack.api("POST", "/v1/segments/preview/recipients", asked, query={"limit": "7", **query})
        assert page.status == 200, page.text
        found += page.body["items"]
        if page.body["next_cursor"] is None:
            return found
        query["cursor"] = page.body["next_cursor"]


def test_whom_the_content_cannot_be_rendered_for_is_counted_and_named_also_as_a_job(stack: Stack) -> None:
    known = customer(31, birthday=at(0).date())
    house.ports().customers.save([known], contacts_of(known))
    counted = stack.api("POST", "/v1/segments/preview", BIRTHDAY)
    job = stack.api("POST", "/v1/segments/preview", BIRTHDAY, headers=LATER).body
    everybody = named(stack, BIRTHDAY)

    assert counted.body == {"matched": 31, "excluded": {"cannot_render": 29, "opted_out": 1}, "targeted": 1}
    assert run(stack, job)["audience"] == counted.body
    assert sorted(one["customer_id"] for one in everybody) == sorted(id_of(n) for n in range(1, 32))
    assert [one for one in everybody if one["decision"] == "send"] == [
        {
            "customer_id": id_of(31),
            "external_id": None,
            "name": "Ana31 Silva",
            "decision": "send",
            "reason": None,
            "until": None,
            "missing_variables": [],
        }
    ]
    assert len(named(stack, BIRTHDAY, reason="cannot_render")) == 29
    assert [one["customer_id"] for one in named(stack, BIRTHDAY, reason="opted_out")] == [id_of(3)]


def test_a_preview_knows_the_hour_and_what_is_over_by_then(stack: Stack) -> None:
    stack.api("PATCH", "/v1/business", {"quiet_hours": {"sms": {"from": "21:00", "until": "08:00"}}})
    midnight = (datetime.now(UTC) + timedelta(days=2)).replace(hour=5, minute=0)
    night = {**PREVIEW, "channel": "sms", "send_at": midnight.isoformat()}
    late = {**night, "expires_at": (midnight + timedelta(hours=1)).isoformat()}

    waiting = named(stack, night, reason="quiet_hours")
    assert len(waiting) == 30
    assert {one["decision"] for one in waiting} == {"held"}
    [morning] = {one["until"] for one in waiting}
    assert datetime.fromisoformat(morning).astimezone(ZoneInfo("America/Los_Angeles")).time() == time(8)
    assert stack.api("POST", "/v1/segments/preview", night).body["targeted"] == 30
    assert stack.api("POST", "/v1/segments/preview", late).body["excluded"] == {"expired": 30}


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"content": {"subject": "##{{nobody}}", "text": "x"}}, ["content.subject"]),
        ({"content": {"body": "x"}}, ["content.body", "content.subject"]),
        ({"send_at": "2020-01-01T00:00:00Z"}, ["send_at"]),
        ({"send_at": "2026-11-21T09:00:00"}, ["send_at"]),
        ({"local": True}, ["local"]),
        ({"expires_at": "2020-01-01T00:00:00Z"}, ["expires_at"]),
    ],
)
@pytest.mark.parametrize("path", ["/v1/segments/preview", "/v1/segments/preview/recipients"])
def test_a_preview_refuses_what_a_campaign_would(
    stack: Stack, path: str, wrong: Mapping[str, Any], fields: list[str]
) -> None:
    answer = stack.api("POST", path, {**PREVIEW, **wrong})

    assert (answer.status, answer.fields) == (422, fields)


def test_names_are_for_keys_that_may_read_customers(stack: Stack) -> None:
    path = "/v1/segments/preview/recipients"

    assert stack.api("POST", path, PREVIEW, scopes="segments:read").status == 403
    assert stack.api("POST", path, PREVIEW, scopes="segments:read customers:read").status == 200
    assert stack.api("POST", path, PREVIEW, query={"reason": "none"}).fields == ["reason"]
    assert stack.api("POST", path, PREVIEW, query={"cursor": "x"}).fields == ["cursor"]
