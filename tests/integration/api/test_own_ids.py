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
DRAFT: Final[Mapping[str, Any]] = {**OFFER, "status": "draft", "filter": {"all": []}}
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


def test_a_campaign_is_for_a_list_of_theirs_and_shows_it(stack: Stack, ids: Mapping[str, str]) -> None:
    posted = stack.api(
        "POST", "/v1/campaigns", {**OFFER, "status": "draft", "external_ids": [*OWN[:2], "nobody", OWN[0]]}
    )
    read = stack.api("GET", f"/v1/campaigns/{posted.body['campaign_id']}").body

    assert posted.status == 202, posted.text
    assert posted.body["foreseen"] == {"matched": 3, "excluded": {"not_found": 1}, "targeted": 2}
    for shown in (posted.body, read):
        assert (shown["external_ids"], shown["customer_ids"]) == ([*OWN[:2], "nobody"], None)
        assert (shown["include_external_ids"], shown["include_customer_ids"]) == ([], [])


def test_a_campaigns_audience_is_changed_between_all_four(stack: Stack, ids: Mapping[str, str]) -> None:
    campaign = f"/v1/campaigns/{stack.api('POST', '/v1/campaigns', DRAFT).body['campaign_id']}"
    by_ours = {"customer_ids": [ids["crm/1"]]}
    by_theirs = {"external_ids": ["crm 2", "crm%3"]}
    others: list[dict[str, Any]] = [{"filter": {"tag": "vip"}}, by_theirs, {"name": "x"}, {"external_ids": None}]
    for change in (by_theirs, by_ours, by_theirs, *others):
        changed = stack.api("PATCH", campaign, change)
        if None in change.values():
            assert (changed.status, changed.fields) == (422, ["external_ids"])
            continue
        shown = {name: changed.body[name] for name in ("segment_id", "filter", "customer_ids", "external_ids")}

        assert changed.status == 200
        assert shown == dict.fromkeys(shown) | (by_theirs if "name" in change else change)
    copied = stack.api("POST", f"{campaign}/copy").body
    assert copied["external_ids"] == by_theirs["external_ids"]
    assert stack.api("PATCH", campaign, {**by_ours, **by_theirs}).status == 422


def test_who_is_added_back_is_named_by_either_id_each_list_by_itself(stack: Stack, ids: Mapping[str, str]) -> None:
    for n in (1, 2, 3):
        contact = house.ports().contacts.get_many([contact_key(n)])[contact_key(n)]
        house.ports().contacts.save(contact.with_evidence(BOUNCE))
    both = {"include_external_ids": ["crm/1"], "include_customer_ids": [ids["crm 2"]]}
    posted = stack.api("POST", "/v1/campaigns", {**DRAFT, **both}).body
    campaign = f"/v1/campaigns/{posted['campaign_id']}"

    def after(change: Mapping[str, Any]) -> tuple[Any, Any, int]:
        shown = stack.api("PATCH", campaign, change).body
        read = stack.api("GET", campaign).body
        assert all(shown[name] == read[name] for name in both)
        return shown["include_external_ids"], shown["include_customer_ids"], shown["foreseen"]["targeted"]

    assert {name: posted[name] for name in both} == both
    assert after({}) == (["crm/1"], [ids["crm 2"]], 3)
    assert after({"include_external_ids": []}) == ([], [ids["crm 2"]], 2)
    assert after({"include_external_ids": ["crm%3", "nobody"]}) == (["crm%3", "nobody"], [ids["crm 2"]], 3)
    assert after({"include_customer_ids": []}) == (["crm%3", "nobody"], [], 2)


def test_a_list_of_theirs_that_does_not_fit_its_row_is_refused(stack: Stack) -> None:
    uuids = [f"01234567-89ab-cdef-0123-{n:012d}" for n in range(1000)]
    largest: dict[str, Any] = {
        **OFFER,
        "status": "draft",
        "content": {"subject": "😀" * 500, "html": "x" * 100_000, "text": "é" * 50_000},
        "external_ids": uuids,
        "include_external_ids": uuids[::-1],
        "include_customer_ids": [f"{n:032x}" for n in range(1000)],
    }
    assert stack.api("POST", "/v1/campaigns", largest).status == 202
    small = {**largest, "content": OFFER["content"]}
    for name in ("external_ids", "include_external_ids"):
        refused = stack.api("POST", "/v1/campaigns", {**small, name: [f"{each}-and-more" for each in uuids]})
        assert (refused.status, refused.fields) == (422, [name])
        assert stack.api("POST", "/v1/campaigns", {**small, name: uuids * 2}).fields == [name]


def test_a_campaigns_messages_name_both(stack: Stack, ids: Mapping[str, str]) -> None:
    posted = stack.api("POST", "/v1/campaigns", {**OFFER, "external_ids": [*OWN]}).body
    plan = {"business_id": BUSINESS_ID, "campaign_id": posted["campaign_id"]}
    stack.invoke("plan_campaign", plan)
    answer = stack.api("GET", f"/v1/campaigns/{posted['campaign_id']}/messages")

    assert set(pairs(answer.body)) == names(ids, *OWN)


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
