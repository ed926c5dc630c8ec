"""Wherever our ids of customers are taken, the business's own are taken; wherever ours are given, theirs are."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from rebound.contacts.domain.reachability import Failure
from rebound.kernel.ids import id_of_external
from rebound.kernel.provider_codes import Provider
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX, at, contact_key
from tests.integration.conftest import Stack
from tests.integration.inbound.test_received_texts import receive, text
from tests.integration.jobs.test_jobs import run

OWN: Final = ("crm/1", "crm 2", "crm%3")
NUMBER: Final = "+14155550123"
BOUNCE: Final = Failure(at(0), "m1", Provider.SES, NO_SUCH_MAILBOX)
PREVIEW: Final[Mapping[str, Any]] = {"filter": {"all": []}, "channel": "email", "category": "marketing"}
OFFER: Final[Mapping[str, Any]] = {
    "channel": "email",
    "category": "marketing",
    "name": "Offer",
    "content": {"subject": "Hi", "text": "Hello."},
}
OFFER_TO_ONE: Final = {name: value for name, value in OFFER.items() if name != "name"}
TEXT: Final[Mapping[str, Any]] = {"category": "reminder", "channel": "sms", "content": {"body": "Tomorrow at ten"}}


@pytest.fixture
def ids(stack: Stack) -> dict[str, str]:
    """Three customers of the business's own ids, two of whom share a number, and one with none; ours by theirs."""
    made = {}
    for n, own in enumerate((*OWN, None), 1):
        person = {"first_name": f"Ana{n}", "last_name": "Silva", "email": f"ana{n}@example.com", "external_id": own}
        number = {"mobile_phone": NUMBER} if n <= 2 else {}
        made[own or ""] = stack.api("POST", "/v1/customers", person | number).body["customer_id"]
    return made


def pairs(answer: Any) -> Iterator[tuple[str | None, str | None]]:
    """Our id and theirs, wherever an answer has ours."""
    match answer:
        case dict():
            if "customer_id" in answer:
                yield answer["customer_id"], answer["external_id"]
            for each in answer.values():
                yield from pairs(each)
        case list():
            for each in answer:
                yield from pairs(each)


def names(ids: Mapping[str, str], *own: str) -> set[tuple[str | None, str | None]]:
    return {(ids[each], each or None) for each in own}


@pytest.mark.parametrize("own", OWN)
def test_everything_about_one_customer_names_both(stack: Stack, ids: Mapping[str, str], own: str) -> None:
    known = ids[own]
    assert stack.api("POST", "/v1/messages", {**OFFER_TO_ONE, "external_id": own}).status == 202
    stack.api("POST", f"/v1/customers/{known}/consent/email/confirmation")
    for path in ("", "/log", "/messages", "/consent", "/reachability?"):
        query = {"channel": "email", "category": "marketing"} if path.endswith("?") else None
        answer = stack.api("GET", f"/v1/customers/{known}{path.rstrip('?')}", query=query)

        assert answer.status == 200
        assert set(pairs(answer.body)) == names(ids, own), path


def test_who_asks_for_confirmation_is_told_both(stack: Stack, ids: Mapping[str, str]) -> None:
    asked = stack.api("POST", f"/v1/customers/{ids['crm/1']}/consent/email/confirmation")

    assert asked.status == 202
    assert set(pairs(asked.body)) == names(ids, "crm/1")


def test_a_preview_takes_and_names_both(stack: Stack, ids: Mapping[str, str]) -> None:
    for n in (1, 2):
        contact = house.ports().contacts.get_many([contact_key(n)])[contact_key(n)]
        house.ports().contacts.save(contact.with_evidence(BOUNCE))
    by_theirs = stack.api("POST", "/v1/segments/preview", {**PREVIEW, "include_external_ids": ["crm/1", "crm%3"]})
    by_both = stack.api(
        "POST",
        "/v1/segments/preview/recipients",
        {**PREVIEW, "include_external_ids": ["crm/1"], "include_customer_ids": [ids["crm 2"]]},
    )

    assert by_theirs.body == {"matched": 4, "excluded": {"invalid_contact": 1}, "targeted": 3}
    assert set(pairs(by_both.body)) == names(ids, *OWN, "")
    assert {each["decision"] for each in by_both.body["items"]} == {"send"}


def test_a_clean_up_takes_a_list_of_theirs_and_names_who_was_spared(stack: Stack, ids: Mapping[str, str]) -> None:
    asked = {"external_ids": [*OWN, "nobody", "crm/1"], "confirm_count": 3}
    job = stack.api("POST", "/v1/customers/bulk-delete", asked)
    assert job.status == 202
    plan = {"business_id": BUSINESS_ID, "job_id": job.body["job_id"]}
    stack.invoke("run_job", plan)
    while not stack.invoke("run_job", {**plan, "range": 0})["done"]:
        pass
    stack.api("PUT", "/v1/customers/by-external-id/crm%202", {"first_name": "Bea"})
    report = run(stack, job.body)["report"]

    assert (report["counted"], report["deleted"], report["skipped"]) == (3, 2, {"changed": 1})
    assert set(pairs(report)) == names(ids, "crm 2")
    assert {item["external_id"] for item in stack.api("GET", "/v1/customers").body["items"]} == {"crm 2", None}


def test_a_clean_up_takes_one_list(stack: Stack, ids: Mapping[str, str]) -> None:
    both = {"customer_ids": [ids["crm/1"]], "external_ids": ["crm 2"], "confirm_count": 1}
    refused = stack.api("POST", "/v1/customers/bulk-delete", both)

    assert refused.status == 422
    assert "at most one of customer_ids, external_ids" in refused.text
    assert stack.api("POST", "/v1/customers/bulk-delete", {"external_ids": [], "confirm_count": 0}).status == 422


def test_replies_are_found_by_both_and_name_both(stack: Stack, ids: Mapping[str, str]) -> None:
    stack.api("PATCH", "/v1/business", {"text_from": "+14155550100"})
    stack.api(
        "POST", "/v1/messages", {**TEXT, "external_id": "crm/1", "appointment_id": "a-1", "asks_confirmation": True}
    )
    receive(stack, text(MessageSid="SM1", From=NUMBER, Body="C"))
    receive(stack, text(MessageSid="SM2", From=NUMBER, Body="please stop texting me"))
    found = stack.api("GET", "/v1/replies", query={"external_id": "crm/1"}).body

    assert found == stack.api("GET", "/v1/replies", query={"customer_id": ids["crm/1"]}).body
    assert {each["reply_id"] for each in found["items"]} == {"SM1", "SM2"}
    assert set(pairs(found)) - {(None, None)} == names(ids, "crm/1", "crm 2")
    assert stack.api("GET", "/v1/replies", query={"external_id": "crm%3"}).body["items"] == []
    assert stack.api("GET", "/v1/replies", query={"external_id": "nobody"}).status == 404
    assert stack.api("GET", "/v1/replies.csv", query={"external_id": "crm/1"}).text.count("SM") == 2
    both = stack.api("GET", "/v1/replies", query={"external_id": "crm/1", "customer_id": ids["crm/1"]})
    assert (both.status, both.fields) == (422, ["external_id"])


def test_logs_name_both_also_of_others_who_share_the_number(stack: Stack, ids: Mapping[str, str]) -> None:
    asking = {"external_id": "crm/1", "appointment_id": "a-1", "asks_confirmation": True}
    stack.api("PATCH", "/v1/business", {"text_from": "+14155550100"})
    stack.api("POST", "/v1/messages", {**TEXT, **asking})
    stack.invoke("receive_text", text(MessageSid="SM1", From=NUMBER, Body="C"))
    own, others = (stack.api("GET", f"/v1/customers/{ids[each]}/log").body for each in ("crm/1", "crm 2"))
    appointment = stack.api("GET", "/v1/appointments/a-1/log").body

    assert set(pairs(own)) - {(None, None)} == names(ids, "crm/1")
    assert set(pairs(others)) - {(None, None)} <= names(ids, "crm/1", "crm 2")
    assert set(pairs(appointment)) == names(ids, "crm/1")
    stack.api("DELETE", "/v1/customers/by-external-id/crm%2F1")
    assert set(pairs(stack.api("GET", "/v1/appointments/a-1/log").body)) == {(ids["crm/1"], None)}


def test_an_id_that_nobody_has_is_as_one_of_ours_that_nobody_has(stack: Stack, ids: Mapping[str, str]) -> None:
    unknown = id_of_external(BUSINESS_ID, "nobody")
    for theirs, ours in (
        ({"include_external_ids": ["nobody"]}, {"include_customer_ids": [unknown]}),
        ({"include_external_ids": []}, {}),
    ):
        by_theirs = stack.api("POST", "/v1/segments/preview", {**PREVIEW, **theirs})
        by_ours = stack.api("POST", "/v1/segments/preview", {**PREVIEW, **ours})

        assert (by_theirs.status, by_theirs.body) == (by_ours.status, by_ours.body)
