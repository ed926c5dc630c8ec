"""Every route answers what the contract says, and no input whatever makes it fail or write half."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.reachability import Failure
from rebound.eligibility.application import preview_audience
from rebound.kernel.api_scopes import ALL_SCOPES, ApiScope
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.provider_codes import Provider
from rebound.kernel.times import write_time
from rebound.segments.wiring import SegmentsUseCases
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX, at, contact_key, customer, id_of
from tests.integration.conftest import Answer, Stack

ALL_IN = dict.fromkeys(("all", "marketing", "loyalty", "transactional"), "opted_in")
ANA = {"first_name": "Ana", "last_name": "Silva", "email": "Ana@Example.com", "mobile_phone": "(415) 555-0123"}
OFFER = {
    "name": "Autumn offer",
    "category": "marketing",
    "channel": "email",
    "filter": {"all": []},
    "content": {"subject": "Hello ##{{first_name}}", "html": "<p>…</p>", "text": "…"},
}
UNSUBSCRIBED = {"channel": "sms", "scope": "marketing", "opted_out": True, "who": "Kim", "words": "asked at the desk"}
TEXT = {"category": "one_to_one", "channel": "sms", "content": {"body": "Hi ##{{first_name}}"}}


def created(stack: Stack, **given: Any) -> dict[str, Any]:
    answer = stack.api("POST", "/v1/customers", {**ANA, **given})
    assert answer.status == 201, answer.text
    body: dict[str, Any] = answer.body
    return body


# --- what routes answer -----------------------------------------------------------------------------------------------


def test_a_business_reads_and_changes_its_settings(stack: Stack) -> None:
    changed = stack.api("PATCH", "/v1/business", {"name": "New name", "country": "pt", "owner_email": "o@example.com"})
    read = stack.api("GET", "/v1/business")

    assert (changed.status, read.status) == (200, 200)
    assert read.body == changed.body
    assert read.body["business_id"] == BUSINESS_ID
    assert (read.body["name"], read.body["country"], read.body["owner_email"]) == ("New name", "PT", "o@example.com")


def test_a_customer_has_the_shape_of_the_contract(stack: Stack) -> None:
    body = created(stack, general_tags=["vip"], birthday="1990-02-28", language="PT")

    assert set(body) >= {
        "customer_id", "external_id", "first_name", "last_name", "email", "mobile_phone", "day_phone", "night_phone",
        "general_tags", "time_zone", "language", "contacts",
    }  # fmt: skip
    assert (body["email"], body["mobile_phone"], body["language"]) == ("Ana@example.com", "+14155550123", "pt")
    assert body["contacts"]["sms"] == {
        "address": "+14155550123", "invalid": False, "reason": None, "since": None, "evidence": None,
        "next_try_at": None, "opted_out": [], "effective": ALL_IN,
    }  # fmt: skip
    assert stack.api("GET", f"/v1/customers/{body['customer_id']}").body == body


def flag(number_or_email: str = "ana@example.com") -> None:
    key = contact_key().__class__(BUSINESS_ID, contact_key().channel, number_or_email)
    contact = house.ports().contacts.get_many([key])[key]
    house.ports().contacts.save(contact.with_evidence(Failure(at(0), "m1", Provider.SES, NO_SUCH_MAILBOX)))


def test_a_flag_is_shown_with_its_reason_and_since_and_clears_when_the_address_is_given_again(stack: Stack) -> None:
    customer_id = created(stack)["customer_id"]
    flag()
    flagged = stack.api("GET", f"/v1/customers/{customer_id}").body["contacts"]["email"]
    cleared = stack.api("PATCH", f"/v1/customers/{customer_id}", {"email": "Ana@Example.com"})

    assert flagged == {
        "address": "Ana@example.com", "invalid": True, "reason": "bounce:mailbox_does_not_exist",
        "since": "2026-11-20T12:00:00.000Z", "next_try_at": None, "opted_out": [], "effective": ALL_IN,
        "evidence": {
            "class": "invalid", "provider": "ses", "code": "Permanent/NoEmail", "detail": None, "message_id": "m1",
            "at": "2026-11-20T12:00:00.000Z",
        },
    }  # fmt: skip
    assert cleared.status == 200
    assert cleared.body["contacts"]["email"]["invalid"] is False


def test_a_confirmed_address_is_cleared(stack: Stack) -> None:
    customer_id = created(stack)["customer_id"]
    flag()
    answer = stack.api("POST", f"/v1/customers/{customer_id}/contacts/email/confirm")

    assert answer.status == 200
    assert answer.body["contacts"]["email"]["invalid"] is False


def test_a_customer_without_the_address_cannot_have_it_confirmed(stack: Stack) -> None:
    customer_id = created(stack, email=None)["customer_id"]

    assert stack.api("POST", f"/v1/customers/{customer_id}/contacts/email/confirm").status == 409
    assert stack.api("POST", f"/v1/customers/{customer_id}/contacts/fax/confirm").status == 422


def test_a_deleted_customer_is_gone(stack: Stack) -> None:
    customer_id = created(stack)["customer_id"]
    answer = stack.api("DELETE", f"/v1/customers/{customer_id}")

    assert (answer.status, answer.text) == (204, "")
    assert stack.api("GET", f"/v1/customers/{customer_id}").status == 404
    assert stack.api("DELETE", f"/v1/customers/{customer_id}").status == 404


def test_after_a_stop_nobody_is_shown_as_subscribed_to_anything(stack: Stack) -> None:
    customer_id = created(stack)["customer_id"]
    key = ContactKey(BUSINESS_ID, Channel.SMS, "+14155550123")
    stop = ConsentEvidence(at(0), Scope.ALL, opted_out=True, source=ConsentSource.KEYWORD)
    house.ports().contacts.save(house.ports().contacts.get_many([key])[key].with_evidence(stop))
    stack.api("PATCH", "/v1/business", {"double_opt_in": {"email": True}})
    contacts = stack.api("GET", f"/v1/customers/{customer_id}").body["contacts"]
    channels = stack.api("GET", f"/v1/customers/{customer_id}/consent").body["channels"]

    assert (contacts["sms"]["opted_out"], set(contacts["sms"]["effective"].values())) == (["all"], {"opted_out"})
    assert contacts["email"]["effective"] == ALL_IN | dict.fromkeys(("marketing", "loyalty"), "not_confirmed")
    for channel, shown in channels.items():
        assert {s: state["effective"] for s, state in shown["scopes"].items()} == contacts[channel]["effective"]


def test_the_time_that_is_shown_is_that_of_the_last_change_of_profile_flag_or_consent(stack: Stack) -> None:
    customer_id = created(stack)["customer_id"]
    path = f"/v1/customers/{customer_id}"
    stored = house.ports().customers.get(BUSINESS_ID, customer_id).updated_at
    seen = [stack.api("GET", path).body["updated_at"]]

    def later() -> None:
        shown = stack.api("GET", path).body["updated_at"]
        assert shown > seen[-1]
        seen.append(shown)

    assert seen == [write_time(stored)]
    flag()
    later()
    stack.api("POST", f"{path}/consent", {**UNSUBSCRIBED, "channel": "email"})
    later()
    house.ports().customers.copy_flag(
        ContactKey(BUSINESS_ID, Channel.EMAIL, "ana@example.com"), customer_id, invalid=True
    )
    later()
    assert house.ports().customers.get(BUSINESS_ID, customer_id).updated_at == stored
    stack.api("PATCH", path, {"first_name": "Anna"})
    later()
    assert stack.api("GET", "/v1/customers").body["items"][0]["updated_at"] == seen[-1]


def test_customers_are_listed_in_pages_and_filtered(stack: Stack) -> None:
    everybody = {
        created(stack, email=f"c{n}@example.com", mobile_phone=None, general_tags=["vip"] if n % 2 else [])[
            "customer_id"
        ]
        for n in range(5)
    }
    first = stack.api("GET", "/v1/customers", query={"limit": "3"}).body
    rest = stack.api("GET", "/v1/customers", query={"limit": "3", "cursor": first["next_cursor"]}).body

    assert {item["customer_id"] for item in first["items"] + rest["items"]} == everybody
    assert rest["next_cursor"] is None
    assert len(stack.api("GET", "/v1/customers", query={"tag": "VIP"}).body["items"]) == 2
    assert [c["email"] for c in stack.api("GET", "/v1/customers", query={"q": "c3@"}).body["items"]] == [
        "c3@example.com"
    ]
    assert stack.api("GET", "/v1/customers", query={"failed": "any"}).body["items"] == []


def test_an_external_id_is_one_customer_and_cannot_change(stack: Stack) -> None:
    customer_id = created(stack, external_id="A-1")["customer_id"]

    assert stack.api("POST", "/v1/customers", {**ANA, "external_id": "A-1"}).status == 409
    assert stack.api("PATCH", f"/v1/customers/{customer_id}", {"external_id": "A-2"}).fields == ["external_id"]


def test_consent_is_shown_with_who_said_what_and_changed_at_the_desk(stack: Stack) -> None:
    customer_id = created(stack)["customer_id"]
    out = stack.api("POST", f"/v1/customers/{customer_id}/consent", UNSUBSCRIBED)
    read = stack.api("GET", f"/v1/customers/{customer_id}/consent")
    sms = out.body["channels"]["sms"]
    [said] = out.body["history"]["items"]

    assert (out.status, read.status, read.body) == (200, 200, out.body)
    assert stack.api("GET", f"/v1/customers/{customer_id}").body["contacts"]["sms"]["opted_out"] == ["marketing"]
    assert sms["address"] == "+14155550123"
    assert sms["scopes"]["marketing"] == {
        "opted_out": True, "effective": "opted_out", "since": said["at"],
        "source": "staff", "who": "Kim", "words": "asked at the desk",
        "message_id": None, "taken_back_by": "staff",
        "how_to_take_back": (
            "Leave it as it is until the customer asks for these messages again, then resubscribe them."
        ),
    }  # fmt: skip
    assert sms["scopes"]["all"] == dict.fromkeys(sms["scopes"]["all"], None) | {
        "opted_out": False,
        "effective": "opted_in",
    }
    loyalty = sms["scopes"]["loyalty"]
    assert (loyalty["opted_out"], loyalty["effective"]) == (False, "opted_out")
    assert {name: said[name] for name in ("channel", "address", "former", "scope", "opted_out", "source", "who")} == {
        "channel": "sms", "address": "+14155550123", "former": False, "scope": "marketing", "opted_out": True,
        "source": "staff", "who": "Kim",
    }  # fmt: skip
    again = stack.api("POST", f"/v1/customers/{customer_id}/consent", {**UNSUBSCRIBED, "opted_out": False})
    assert again.body["channels"]["sms"]["scopes"]["marketing"]["opted_out"] is False


def test_staff_cannot_undo_a_stop_and_are_told_what_the_customer_must_do(stack: Stack) -> None:
    customer_id = created(stack)["customer_id"]
    key = ContactKey(BUSINESS_ID, Channel.SMS, "+14155550123")
    stop = ConsentEvidence(at(0), Scope.ALL, opted_out=True, source=ConsentSource.KEYWORD, words="STOP")
    house.ports().contacts.save(house.ports().contacts.get_many([key])[key].with_evidence(stop))
    refused = stack.api("POST", f"/v1/customers/{customer_id}/consent", {**UNSUBSCRIBED, "opted_out": False})

    assert (refused.status, refused.headers["Content-Type"]) == (409, "application/problem+json")
    assert refused.body["detail"] == "Only the customer can undo this: they text START to +14155550100."
    shown = stack.api("GET", f"/v1/customers/{customer_id}/consent").body
    assert shown["channels"]["sms"]["scopes"]["all"]["taken_back_by"] == "customer"
    assert [item["words"] for item in shown["history"]["items"]] == ["STOP"]


def test_a_segment_is_put_read_listed_previewed_and_deleted(stack: Stack) -> None:
    created(stack, general_tags=["vip"])
    created(stack, email=None, mobile_phone=None, general_tags=["vip"])
    put = stack.api("PUT", "/v1/segments/vips", {"name": "VIPs", "filter": {"tag": "vip"}})
    preview = {"segment_id": "vips", "channel": "email", "category": "marketing"}

    assert put.status == 200
    assert stack.api("GET", "/v1/segments/vips").body == put.body
    assert stack.api("GET", "/v1/segments").body == {"items": [put.body], "next_cursor": None}
    assert stack.api("POST", "/v1/segments/preview", preview).body == {
        "matched": 2, "excluded": {"no_address": 1}, "targeted": 1,
    }  # fmt: skip
    assert stack.api("DELETE", "/v1/segments/vips").status == 204
    assert stack.api("GET", "/v1/segments/vips").status == 404


def test_a_campaign_is_accepted_started_read_and_listed(stack: Stack) -> None:
    answer = stack.api("POST", "/v1/campaigns", OFFER)
    campaign_id = answer.body["campaign_id"]

    assert answer.status == 202
    assert answer.body["status"] == "expanding"
    accepted = {name: value for name, value in answer.body.items() if not name.startswith("foreseen")}
    assert stack.api("GET", f"/v1/campaigns/{campaign_id}").body == accepted
    listed = stack.api("GET", "/v1/campaigns").body["items"]
    lists = {f"{kind}{ids}" for kind in ("", "include_", "exclude_") for ids in ("customer_ids", "external_ids")}
    said = {"content", "contents", "email_content", "template_id", "template_version", "variables"}
    divided = {"variants", "outcomes", "holdout", "winner", "goal", "goal_results"}
    heavy = {*said, *divided, "filter", "segment_filter", "voucher", "results_over_time", *lists}
    assert listed == [{name: value for name, value in accepted.items() if name not in heavy}]
    assert stack.api("GET", f"/v1/campaigns/{campaign_id}/messages").body == {"items": [], "next_cursor": None}
    assert answer.body["audience"] == {"matched": 0, "excluded": {}, "targeted": 0}
    assert set(answer.body["results"]) == {
        *("queued", "sent", "delivered", "bounced", "failed", "uncertain", "cancelled"),
    }


@pytest.mark.parametrize("send_at", [None, "in an hour"])
def test_whoever_posts_a_campaign_hears_who_is_left_out_and_why_and_the_same_again(
    stack: Stack, send_at: str | None
) -> None:
    customer_id = created(stack)["customer_id"]
    created(stack, email=None)
    created(stack, email="bo@example.com")
    stack.api("POST", f"/v1/customers/{customer_id}/consent", {**UNSUBSCRIBED, "channel": "email"})
    later = (house.ports().clock.now() + timedelta(hours=1)).isoformat()
    offer = {**OFFER, "send_at": later} if send_at else OFFER
    posted = stack.api("POST", "/v1/campaigns", offer, headers={"Idempotency-Key": "offer-1"})
    stack.api("PATCH", f"/v1/customers/{customer_id}", {"email": None})
    again = stack.api("POST", "/v1/campaigns", offer, headers={"Idempotency-Key": "offer-1"})

    assert posted.status == 202
    assert posted.body["foreseen"] == {"matched": 3, "excluded": {"no_address": 1, "opted_out": 1}, "targeted": 1}
    assert posted.body["foreseen_hint"] is None
    assert again.body == posted.body
    assert "foreseen" not in stack.api("GET", f"/v1/campaigns/{posted.body['campaign_id']}").body


def test_a_campaign_too_large_to_foresee_is_posted_and_says_how_to_ask(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview_audience, "MOST_FORESEEN", 1)
    created(stack)
    created(stack, email="bo@example.com")
    posted = stack.api("POST", "/v1/campaigns", OFFER)

    assert (posted.status, posted.body["foreseen"]) == (202, None)
    assert "/v1/segments/preview" in posted.body["foreseen_hint"]


def test_double_opt_in_is_switched_on_for_each_channel_and_keeps_marketing_from_who_has_not_confirmed(
    stack: Stack,
) -> None:
    customer_id = created(stack)["customer_id"]
    before = stack.api("GET", "/v1/business").body["double_opt_in"]
    changed = stack.api("PATCH", "/v1/business", {"double_opt_in": {"email": True}}).body["double_opt_in"]
    query = {"channel": "email", "category": "marketing"}
    why = stack.api("GET", f"/v1/customers/{customer_id}/reachability", query=query).body

    assert (before, changed) == ({"email": False, "sms": False}, {"email": True, "sms": False})
    assert why["verdict"]["reason"] == "not_confirmed"
    preview = stack.api("POST", "/v1/segments/preview", {"filter": {"all": []}, **query}).body
    assert preview == {"matched": 1, "excluded": {"not_confirmed": 1}, "targeted": 0}


def test_the_question_of_double_opt_in_is_sent_once_a_day(stack: Stack) -> None:
    customer_id = created(stack)["customer_id"]
    asked = stack.api("POST", f"/v1/customers/{customer_id}/consent/email/confirmation")
    again = stack.api("POST", f"/v1/customers/{customer_id}/consent/email/confirmation")
    nowhere = stack.api("POST", f"/v1/customers/{customer_id}/consent/fax/confirmation")

    assert (asked.status, asked.body["category"], asked.body["status"]) == (202, "transactional", "queued")
    assert (again.status, again.headers["Content-Type"]) == (429, "application/problem+json")
    assert (nowhere.status, nowhere.fields) == (422, ["channel"])
    assert stack.api("GET", f"/v1/customers/{customer_id}/consent").body["channels"]["email"]["confirmed"] is False


def test_a_campaign_for_later_is_scheduled(stack: Stack) -> None:
    later = datetime.now(UTC) + timedelta(days=90)
    there = later.astimezone(timezone(timedelta(hours=1)))
    answer = stack.api("POST", "/v1/campaigns", {**OFFER, "send_at": there.isoformat(timespec="seconds")})

    assert answer.body["status"] == "scheduled", answer.text
    assert answer.body["send_at"] == f"{later:%Y-%m-%dT%H:%M:%S}.000Z"


def test_a_message_to_one_person_is_queued_and_stands_in_the_client_log(stack: Stack) -> None:
    customer_id = created(stack)["customer_id"]
    answer = stack.api("POST", "/v1/messages", {**TEXT, "customer_id": customer_id})
    log = stack.api("GET", f"/v1/customers/{customer_id}/messages").body

    assert answer.status == 202
    [item] = log["items"]
    assert item == {name: value for name, value in answer.body.items() if name in item}
    assert (answer.body["status"], answer.body["address"], answer.body["campaign_id"]) == (
        "queued",
        "+14155550123",
        None,
    )
    assert len(stack.received("PROMPT_TEXT_QUEUE_URL")) == 1


def test_an_import_is_accepted_with_content_or_for_an_upload(stack: Stack) -> None:
    inline = stack.api("POST", "/v1/imports", {"format": "csv", "content": "first_name,last_name\nAna,Silva\n"})
    upload = stack.api("POST", "/v1/imports", {"format": "jsonl"})

    assert (inline.status, upload.status) == (202, 202)
    assert (inline.body["status"], inline.body["upload_url"]) == ("queued", None)
    assert upload.body["upload_url"].startswith("https://")
    assert stack.api("GET", f"/v1/imports/{inline.body['import_id']}").body["counts"]["rows"] == 0


def test_the_openapi_document_needs_no_scope_and_names_every_route(stack: Stack) -> None:
    answer = stack.api("GET", "/v1/openapi.json", scopes="")

    assert answer.status == 200
    assert {"/v1/business", "/v1/customers", "/v1/campaigns", "/v1/messages", "/v1/webhooks/twilio/status"} <= set(
        answer.body["paths"]
    )


# --- who may ----------------------------------------------------------------------------------------------------------

ROUTES: list[tuple[str, str, object, ApiScope]] = [
    ("GET", "/v1/business", None, ApiScope("business:read")),
    ("PATCH", "/v1/business", {"name": "x"}, ApiScope("business:write")),
    ("POST", "/v1/customers", ANA, ApiScope("customers:write")),
    ("GET", "/v1/customers", None, ApiScope("customers:read")),
    ("GET", f"/v1/customers/{id_of(1)}", None, ApiScope("customers:read")),
    ("PATCH", f"/v1/customers/{id_of(1)}", {"email": None}, ApiScope("customers:write")),
    ("DELETE", f"/v1/customers/{id_of(1)}", None, ApiScope("customers:write")),
    ("POST", f"/v1/customers/{id_of(1)}/contacts/email/confirm", None, ApiScope("customers:write")),
    ("GET", f"/v1/customers/{id_of(1)}/messages", None, ApiScope("messages:read")),
    ("GET", f"/v1/customers/{id_of(1)}/consent", None, ApiScope("customers:read")),
    ("POST", f"/v1/customers/{id_of(1)}/consent", UNSUBSCRIBED, ApiScope("customers:write")),
    ("POST", f"/v1/customers/{id_of(1)}/consent/email/confirmation", None, ApiScope("customers:write")),
    ("POST", "/v1/imports", {"format": "csv"}, ApiScope("customers:write")),
    ("GET", "/v1/imports/x", None, ApiScope("customers:read")),
    ("GET", "/v1/segments", None, ApiScope("segments:read")),
    ("PUT", "/v1/segments/x", {"name": "x", "filter": {"all": []}}, ApiScope("segments:write")),
    ("GET", "/v1/segments/x", None, ApiScope("segments:read")),
    ("DELETE", "/v1/segments/x", None, ApiScope("segments:write")),
    (
        "POST",
        "/v1/segments/preview",
        {"filter": {"all": []}, "channel": "email", "category": "marketing"},
        ApiScope("segments:read"),
    ),
    ("POST", "/v1/campaigns", OFFER, ApiScope("campaigns:write")),
    ("GET", "/v1/campaigns", None, ApiScope("campaigns:read")),
    ("GET", "/v1/campaigns/x", None, ApiScope("campaigns:read")),
    ("GET", "/v1/campaigns/x/messages", None, ApiScope("campaigns:read")),
    *(
        ("POST", f"/v1/campaigns/x/{course}", None, ApiScope("campaigns:write"))
        for course in ("pause", "resume", "cancel")
    ),
    ("POST", "/v1/campaigns/x/rollback-flags", {"since": "2026-11-20T12:00:00Z"}, ApiScope("campaigns:write")),
    ("POST", "/v1/messages", {**TEXT, "customer_id": id_of(1)}, ApiScope("messages:write")),
]
EACH_ROUTE = pytest.mark.parametrize(("method", "path", "body", "scope"), ROUTES, ids=lambda value: str(value)[:40])


@EACH_ROUTE
def test_a_key_needs_the_routes_own_scope_and_no_other(
    stack: Stack, method: str, path: str, body: object, scope: ApiScope
) -> None:
    others = " ".join(other for other in ALL_SCOPES if other is not scope)
    refused = stack.api(method, path, body, scopes=others)

    assert refused.status == 403
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert only_the_business(stack)
    assert stack.api(method, path, body, scopes=scope).status != 403


@EACH_ROUTE
def test_what_belongs_to_another_business_does_not_exist(
    stack: Stack, method: str, path: str, body: object, scope: ApiScope
) -> None:
    if id_of(1) not in path:
        return
    house.ports().customers.save([customer(1, business_id="another")], [])

    assert stack.api(method, path, body).status == 404


def only_the_business(stack: Stack) -> bool:
    """Its settings, its row in the list of all, and the row by which the number that it texts from leads to it."""
    tables = [name for name in stack.settings if name.endswith("_TABLE")]
    return sum(len(stack.table(name)) for name in tables) == 3


# --- bad input --------------------------------------------------------------------------------------------------------


def check_problem(answer: Answer) -> None:
    assert 400 <= answer.status < 500, (answer.status, answer.text[:300])
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(answer.body) >= {"type", "title", "status", "detail"}
    assert answer.body["status"] == answer.status


def deep(depth: int) -> str:
    return '{"filter":' + '{"not":' * depth + '{"tag":"x"}' + "}" * depth + "}"


BODIES: dict[str, str] = {
    "empty": "",
    "not JSON": "{",
    "a list": "[]",
    "a text": '"x"',
    "null": "null",
    "NaN": '{"name": NaN}',
    "infinity": '{"name": Infinity}',
    "a huge number": '{"name": 1e999}',
    "too many digits": '{"name": ' + "9" * 6000 + "}",
    "unknown field": '{"surprise": 1}',
    "half a surrogate as a name": '{"\\ud800": 1}',
    "half a surrogate": '{"name": "\\ud800", "first_name": "\\ud800"}',
    "deep": deep(500),
    "deeper": deep(5000),
    "deepest": "[" * 100_000,
    "1 MB": json.dumps({"name": "x" * 1_000_000}),
    "wrong types": json.dumps(
        {name: [{}] for name in ("name", "first_name", "filter", "content", "format", "country")}
    ),
    "control characters": json.dumps({"name": "a\u0000b\nc", "first_name": "a\u0000", "last_name": "b\r\n"}),
    "a NUL byte": '{"name": "a\u0000b"}',
}
WITH_BODY = [(method, path) for method, path, body, _ in ROUTES if body is not None]


@pytest.mark.parametrize("raw", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize(("method", "path"), WITH_BODY, ids=lambda value: str(value)[:30])
def test_no_body_whatever_makes_a_route_fail_or_write(stack: Stack, method: str, path: str, raw: str) -> None:
    house.ports().customers.save([customer(1)], [])
    before = rows_of(stack)
    answer = stack.api(method, path, raw=raw)

    check_problem(answer)
    assert rows_of(stack) == before


def rows_of(stack: Stack) -> list[Any]:
    return [stack.table(name) for name in stack.settings if name.endswith("_TABLE")]


BAD_CUSTOMERS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no name": ({"first_name": " "}, ["first_name"]),
    "null name": ({"last_name": None}, ["last_name"]),
    "long name": ({"first_name": "x" * 101}, ["first_name"]),
    "no address": ({"email": "ana"}, ["email"]),
    "an address on two lines": ({"email": "a@b.com\r\nBcc: c@d.com"}, ["email"]),
    "letters for a number": ({"mobile_phone": "call me"}, ["mobile_phone"]),
    "an impossible number": ({"mobile_phone": "+1415"}, ["mobile_phone"]),
    "an extension": ({"mobile_phone": "+14155550123 ext 5"}, ["mobile_phone"]),
    "a number as a number": ({"mobile_phone": 14155550123}, ["mobile_phone"]),
    "no date": ({"birthday": "yesterday"}, ["birthday"]),
    "no such day": ({"birthday": "2026-02-30"}, ["birthday"]),
    "born in the future": ({"birthday": "2999-01-01"}, ["birthday"]),
    "no time zone": ({"time_zone": "Mars/Olympus"}, ["time_zone"]),
    "a path as a time zone": ({"time_zone": "../../etc/passwd"}, ["time_zone"]),
    "a language that we do not write": ({"language": "nl"}, ["language"]),
    "control characters": ({"gender": "a\x00"}, ["gender"]),
    "a long tag": ({"general_tags": ["x" * 65]}, ["general_tags"]),
    "many tags": ({"general_tags": [str(n) for n in range(51)]}, ["general_tags"]),
    "tags that are no texts": ({"general_tags": [1]}, ["general_tags[0]"]),
    "unknown": ({"points": 5}, ["points"]),
    "ours": ({"failed_email": False}, ["failed_email"]),
    "two things": ({"email": "x", "mobile_phone": "y"}, ["email", "mobile_phone"]),
}


@pytest.mark.parametrize(("given", "fields"), BAD_CUSTOMERS.values(), ids=BAD_CUSTOMERS)
def test_each_value_that_is_wrong_is_named_and_not_repeated(
    stack: Stack, given: dict[str, Any], fields: list[str]
) -> None:
    answer = stack.api("POST", "/v1/customers", {**ANA, **given})

    check_problem(answer)
    assert answer.status == 422
    assert answer.fields == fields
    assert all(str(value) not in answer.text for value in given.values() if isinstance(value, str) and len(value) > 3)
    assert only_the_business(stack)


BAD_CAMPAIGNS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no audience": ({"filter": None}, ["body"]),
    "two audiences": ({"segment_id": "x"}, ["body"]),
    "no such segment": ({"filter": None, "segment_id": "x"}, ["segment_id"]),
    "a filter that is none": ({"filter": {"tag": 5}}, ["filter.tag"]),
    "a field that is none": ({"filter": {"any": [{"field": "x", "equals": "y"}]}}, ["filter.any[0].field"]),
    "no customers": ({"filter": None, "customer_ids": []}, ["customer_ids"]),
    "ids that are none": ({"filter": None, "customer_ids": ["x"]}, ["customer_ids[0]"]),
    "too many ids": ({"filter": None, "customer_ids": [id_of(n) for n in range(1001)]}, ["customer_ids"]),
    "no category": ({"category": "spam"}, ["category"]),
    "no channel": ({"channel": "fax"}, ["channel"]),
    "no body": ({"content": {"subject": "x"}}, ["content"]),
    "no subject": ({"content": {"text": "x"}}, ["content.subject"]),
    "content of another channel": ({"content": {"body": "x"}}, ["content.body", "content.subject"]),
    "a misspelt variable": ({"content": {"subject": "##{{frist_name}}", "text": "x"}}, ["content.subject"]),
    "a long html": ({"content": {"subject": "x", "html": "x" * 100_001}}, ["content.html"]),
    "a naive time": ({"send_at": "2027-03-01T09:00:00"}, ["send_at"]),
    "a time that is none": ({"send_at": "soon"}, ["send_at"]),
    "the far future": ({"send_at": "9999-12-31T23:59:59Z"}, ["send_at"]),
    "an empty name": ({"name": " "}, ["name"]),
    "a name on two lines": ({"name": "a\nb"}, ["name"]),
    "a flag as text": ({"exclude_failed": "yes"}, ["exclude_failed"]),
}


@pytest.mark.parametrize(("given", "fields"), BAD_CAMPAIGNS.values(), ids=BAD_CAMPAIGNS)
def test_a_campaign_that_cannot_be_is_refused_with_the_field(
    stack: Stack, given: dict[str, Any], fields: list[str]
) -> None:
    answer = stack.api("POST", "/v1/campaigns", {**OFFER, **given})

    check_problem(answer)
    assert answer.status == 422
    assert answer.fields == fields
    assert only_the_business(stack)


@pytest.mark.parametrize(
    "text", ["é" * 60_000, "界" * 70_000, "😀" * 60_000, '"' * 100_000], ids=["latin", "cjk", "emoji", "quotes"]
)
def test_the_longest_content_in_any_script_is_taken_or_refused_and_never_an_error(stack: Stack, text: str) -> None:
    answer = stack.api(
        "POST",
        "/v1/campaigns",
        raw=json.dumps({**OFFER, "content": {"subject": "x", "html": text}}, ensure_ascii=False),
    )

    assert answer.status in (202, 413, 422), answer.text


@pytest.mark.parametrize(
    "value", ["x" * 450_000, "\ud800", "\x00" * 70_000], ids=["long", "half a surrogate", "escapes"]
)
def test_any_filter_is_kept_and_shown_or_refused_and_never_an_error(stack: Stack, value: str) -> None:
    answer = stack.api("PUT", "/v1/segments/x", {"name": "x", "filter": {"tag": value}})

    assert answer.status in (200, 400, 413, 422), answer.text[:300]
    assert stack.api("GET", "/v1/segments").status == 200


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "many"},
        {"limit": "1e3"},
        {"cursor": ""},
        {"cursor": "nonsense"},
        {"cursor": "é\u0000"},
        {"cursor": base64.urlsafe_b64encode(b"zzz").decode()},
        {"cursor": base64.urlsafe_b64encode(b"[" * 1400).decode()},
        {"cursor": base64.urlsafe_b64encode(b'{"after": "x"}').decode()},
        {"cursor": "x" * 2001},
    ],
    ids=lambda query: str(query)[:40],
)
@pytest.mark.parametrize(
    "path", ["/v1/customers", "/v1/segments", "/v1/campaigns", f"/v1/customers/{id_of(1)}/messages"]
)
def test_no_page_that_cannot_be_makes_a_list_fail(stack: Stack, path: str, query: dict[str, str]) -> None:
    house.ports().customers.save([customer(1)], [])
    answer = stack.api("GET", path, query=query)

    assert answer.status in (200, 400, 422), answer.text
    if "limit" in query:
        assert answer.fields == ["limit"]


@pytest.mark.parametrize("name", ["x" * 1100, "ü", "%00", "a b", "single-x", "..", "import#x"])
@pytest.mark.parametrize("path", ["customers", "segments", "campaigns", "imports"])
def test_no_id_that_cannot_be_makes_a_read_fail(stack: Stack, path: str, name: str) -> None:
    check_problem(stack.api("GET", f"/v1/{path}/{name}"))


@pytest.mark.parametrize(
    ("query", "field"), [({"failed": "fax"}, "failed"), ({"q": "x" * 201}, "q"), ({"tag": "x" * 65}, "tag")]
)
def test_filters_of_the_list_are_checked(stack: Stack, query: dict[str, str], field: str) -> None:
    assert stack.api("GET", "/v1/customers", query=query).fields == [field]


def test_an_unknown_address_is_a_problem(stack: Stack) -> None:
    check_problem(stack.api("GET", "/v1/nothing"))
    check_problem(stack.api("DELETE", "/v1/business"))


def test_a_body_may_come_in_base64_and_must_be_text(stack: Stack) -> None:
    coded = base64.b64encode(json.dumps(ANA).encode()).decode()

    assert stack.api("POST", "/v1/customers", raw=coded, base64=True).status == 201
    check_problem(stack.api("POST", "/v1/customers", raw=base64.b64encode(b"\xff\xfe{}").decode(), base64=True))
    check_problem(stack.api("POST", "/v1/customers", raw="%%%", base64=True))


def test_a_form_is_not_json(stack: Stack) -> None:
    check_problem(
        stack.api("POST", "/v1/customers", raw="a=b", headers={"Content-Type": "application/x-www-form-urlencoded"})
    )


def test_a_business_without_a_sender_cannot_post(stack: Stack) -> None:
    customer_id = created(stack)["customer_id"]
    stack.api("PATCH", "/v1/business", {"email_from": None, "text_from": None})

    assert stack.api("POST", "/v1/campaigns", OFFER).status == 409
    assert stack.api("POST", "/v1/messages", {**TEXT, "customer_id": customer_id}).status == 409


def test_an_error_of_ours_says_nothing_of_its_cause(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def list(self, *_: object, **__: object) -> None:
            raise RuntimeError("ana@example.com")

    house.stand_in_for_use_case(monkeypatch, SegmentsUseCases, customer_service=Broken())
    answer = stack.api("GET", "/v1/customers")

    assert answer.status == 500
    assert "ana@example.com" not in answer.text


# --- once -------------------------------------------------------------------------------------------------------------

Post = Callable[..., Answer]


def test_the_same_key_and_body_gives_the_first_answer_again_and_does_it_once(stack: Stack) -> None:
    first = stack.api("POST", "/v1/customers", ANA, headers={"Idempotency-Key": "k1"})
    again = stack.api("POST", "/v1/customers", dict(reversed(ANA.items())), headers={"idempotency-key": "k1"})

    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    assert len(stack.table("CUSTOMERS_TABLE")) == 1


def test_the_same_key_with_another_body_is_a_conflict(stack: Stack) -> None:
    stack.api("POST", "/v1/customers", ANA, headers={"Idempotency-Key": "k1"})
    answer = stack.api("POST", "/v1/customers", {**ANA, "first_name": "Bo"}, headers={"Idempotency-Key": "k1"})

    check_problem(answer)
    assert answer.status == 409
    assert len(stack.table("CUSTOMERS_TABLE")) == 1


def test_a_key_belongs_to_one_business_and_one_route(stack: Stack) -> None:
    house.ports().businesses.add(house.ports().businesses.get(BUSINESS_ID).__class__("other", "Other", "US", "UTC"))
    headers = {"Idempotency-Key": "k1"}
    answers = [
        stack.api("POST", "/v1/customers", ANA, headers=headers),
        stack.api("POST", "/v1/customers", ANA, headers=headers, business_id="other"),
        stack.api("POST", "/v1/imports", {"format": "csv"}, headers=headers),
    ]

    assert [answer.status for answer in answers] == [201, 201, 202]


def test_a_request_that_was_refused_can_be_mended_under_the_same_key(stack: Stack) -> None:
    headers = {"Idempotency-Key": "k1"}
    refused = stack.api("POST", "/v1/customers", {**ANA, "email": "x"}, headers=headers)

    assert refused.status == 422
    assert stack.api("POST", "/v1/customers", ANA, headers=headers).status == 201


@pytest.mark.parametrize("key", ["", "x" * 129, "a\x00b"])
def test_a_key_that_cannot_be_is_refused(stack: Stack, key: str) -> None:
    answer = stack.api("POST", "/v1/customers", ANA, headers={"Idempotency-Key": key})

    check_problem(answer)
    assert only_the_business(stack)


def test_what_is_kept_for_a_day_is_not_the_answer_of_another_request(stack: Stack) -> None:
    first = stack.api("POST", "/v1/campaigns", OFFER, headers={"Idempotency-Key": "k1"}).body["campaign_id"]
    second = stack.api("POST", "/v1/campaigns", OFFER, headers={"Idempotency-Key": "k2"}).body["campaign_id"]
    third = stack.api("POST", "/v1/campaigns", OFFER, headers={"Idempotency-Key": "k1"}).body["campaign_id"]

    assert first == third != second
