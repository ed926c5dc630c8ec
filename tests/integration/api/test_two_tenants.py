"""Two businesses on one stack: nothing that one asks, of any route or command, shows or changes what is the other's.

What is another's must look exactly as what does not exist. So each request is made twice by one business: with the ids
of the other, and with ids that nobody has; the answers must be the same, and the other's rows must stay as they are.
"""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest

from rebound.activity.wiring import AwsActivityPorts
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import Scope
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.links import Purpose
from tests.fakes import house
from tests.fakes.aws import REPOSITORY, rows
from tests.fakes.making import BUSINESS_ID, CAMPAIGN_ID, business, id_of
from tests.fakes.partial_updates import in_days
from tests.integration.conftest import Answer, Stack, recorded
from tests.integration.inbound.test_received_texts import receive, text

OURS, THEIRS = "cedar", BUSINESS_ID
THEIR_MARK: Final = "Violet"
"""Stands in everything that is theirs and can be read."""
NUMBERS: Final = {OURS: "+14155550199", THEIRS: "+14155550100"}
PHONES: Final = {OURS: "+14155550124", THEIRS: "+14155550123"}
PUBLIC: Final = re.compile(r"/v1/(unsubscribe|preferences|confirm|appointment|profile|relation|stop|webhooks/twilio)/")
OPERATORS: Final = "/v1/operator/"
"""Whose keys open these, and those of no business: tests/integration/operations/test_operator_api.py."""
PREVIEW: Final = {"channel": "email", "category": "marketing"}
OFFER: Final = {**PREVIEW, "name": "Offer", "content": {"subject": "Hi", "text": "Hello"}}
REMINDER: Final = {"category": "reminder", "channel": "sms", "content": {"body": "Tomorrow at ten"}}
NOBODY: Final = {
    "customer_id": "0" * 31 + "9",
    "campaign_id": "01M7W6ARGFEXM6PVNM0V1C8F99",
    "segment_id": "nobodys-segment",
    "import_id": "01M7W6ARGFEXM6PVNM0V1C8F98",
    "export_id": "01M7W6ARGFEXM6PVNM0V1C8F97",
    "job_id": "01M7W6ARGFEXM6PVNM0V1C8F96",
    "reply_id": "SM00000000000000000000000000000099",
    "appointment_id": "nobodys-appointment",
    "message_id": "01M7W6ARGFEXM6PVNM0V1C8F95",
    "external_id": "nobodys-number",
    "template_id": "nobodys-template",
    "webhook_id": "nobodys-webhook",
    "delivery_id": "01M7W6ARGFEXM6PVNM0V1C8F94",
    "relation_id": "01M7W6ARGFEXM6PVNM0V1C8F93",
    "recurring_campaign_id": "01M7W6ARGFEXM6PVNM0V1C8F92",
    "event_id": "nobodys-event",
    "sequence_id": "nobodys-sequence",
    "waiver_id": "nobodys-waiver",
}


@dataclass(frozen=True)
class Asked:
    """One request; ``{name}`` in any of its texts stands for an id."""

    method: str
    path: str
    body: Any = None
    query: Mapping[str, str] | None = None
    route: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.body or self.query or ''}"

    def of(self, stack: Stack, ids: Mapping[str, str]) -> Answer:
        """The answer that we get with some ids."""

        def filled(value: Any) -> Any:
            match value:
                case str():
                    return re.sub(r"\{(\w+)\}", lambda found: ids[found[1]], value)
                case dict():
                    return {name: filled(each) for name, each in value.items()}
                case list():
                    return [filled(each) for each in value]
            return value

        query = self.query and {name: filled(value) for name, value in self.query.items()}
        return stack.api(self.method, filled(self.path), filled(self.body), query=query, business_id=OURS)


CUSTOMER: Final = "/v1/customers/{customer_id}"
BY_EXTERNAL_ID: Final = "/v1/customers/by-external-id/{external_id}"
CAMPAIGN: Final = "/v1/campaigns/{campaign_id}"
MESSAGE: Final = "/v1/messages/{message_id}"
APPOINTMENT: Final = "/v1/appointments/{appointment_id}"
WEBHOOK: Final = "/v1/webhooks/{webhook_id}"
TEMPLATE: Final = "/v1/templates/{template_id}"
RECURRING: Final = "/v1/recurring-campaigns/{recurring_campaign_id}"
SEQUENCE: Final = "/v1/sequences/{sequence_id}"
SERIES: Final = {
    "name": "Series",
    "trigger": {"kind": "custom", "name": "order"},
    "steps": [{"wait": {"days": 1}}],
    "status": "on",
}
BIRTHDAYS: Final = {**OFFER, "audience": {"birthday": {}}, "at": "09:00"}
REDEEM: Final = "/v1/vouchers/{code}/redemptions"
REDEMPTIONS: Final = "/v1/vouchers/3-CDF-GHJ-KMN/redemptions"
GREETING: Final = {"name": "Ours", "channel": "email", "content": {"subject": "Hi", "text": "Hello"}}
VISIT: Final = {"event_id": "{event_id}", "kind": "visit", "at": "2024-11-29T10:00:00Z"}
HOOKED: Final = {"url": "https://hooks.example.com/in", "events": ["ReplyReceived"]}
HAPPENED: Final = {"name": "order", "event_id": "{event_id}", "at": in_days(0)}
WAIVER: Final = {"version": "2", "url": "https://sign.example.com/ours"}
EVERYBODYS: Final[Mapping[str, Any]] = {"all": []}
NAMING: Final[Mapping[str, Any]] = {"segment": "{segment_id}"}
IMPORTED: Final = "customer_id,first_name,last_name\n{customer_id},Cy,Fir"
NAMED: Final = {"customer_ids": ["{customer_id}"]}
REQUESTS: Final = [
    Asked("GET", CUSTOMER),
    Asked("PATCH", CUSTOMER, {"first_name": "Stolen"}),
    Asked("PATCH", CUSTOMER, {"cc": ["{customer_id}"]}),
    Asked("POST", "/v1/customers", {"first_name": "Cy", "last_name": "Fir", "cc": ["{customer_id}"]}),
    Asked("GET", CUSTOMER + "/booking"),
    Asked("DELETE", CUSTOMER),
    Asked("GET", BY_EXTERNAL_ID),
    Asked("PUT", BY_EXTERNAL_ID, {"first_name": "Cy"}),
    Asked("PUT", BY_EXTERNAL_ID, {"first_name": "Cy", "last_name": "Fir"}),
    Asked("DELETE", BY_EXTERNAL_ID),
    Asked("GET", CUSTOMER + "/consent"),
    Asked("POST", CUSTOMER + "/consent", {"channel": "email", "scope": "all", "action": "unsubscribe"}),
    Asked("POST", CUSTOMER + "/consent/email/confirmation", route=CUSTOMER + "/consent/{channel}/confirmation"),
    Asked("POST", CUSTOMER + "/contacts/email/confirm", route=CUSTOMER + "/contacts/{channel}/confirm"),
    Asked("POST", CUSTOMER + "/update-requests", {"channel": "email"}),
    Asked("GET", CUSTOMER + "/relations"),
    Asked("POST", CUSTOMER + "/relations", {"name": "Rex", "relationship": "dog"}),
    Asked("DELETE", CUSTOMER + "/relations/{relation_id}"),
    Asked("GET", CUSTOMER + "/log"),
    Asked("GET", CUSTOMER + "/activity"),
    Asked("GET", CUSTOMER + "/summary"),
    Asked("GET", CUSTOMER + "/sequences"),
    Asked("POST", CUSTOMER + "/points", {"delta": 5, "reason": "R", "who": "W"}),
    Asked("POST", "/v1/activity", {"events": [{**VISIT, "customer_id": "{customer_id}"}]}),
    Asked("POST", "/v1/activity", {"events": [{**VISIT, "external_id": "{external_id}"}]}),
    Asked("DELETE", "/v1/activity/{event_id}"),
    Asked("GET", CUSTOMER + "/messages"),
    Asked("GET", CUSTOMER + "/vouchers"),
    Asked("POST", REDEMPTIONS, {"customer_id": "{customer_id}", "order_id": "1", "amount": "10.00"}, route=REDEEM),
    Asked("POST", REDEMPTIONS, {"external_id": "{external_id}", "order_id": "1", "amount": "10.00"}, route=REDEEM),
    Asked("DELETE", REDEMPTIONS + "/1", route=REDEEM + "/{order_id}"),
    Asked("GET", CUSTOMER + "/reachability", query=PREVIEW),
    Asked("GET", CUSTOMER + "/reachability", query={**PREVIEW, "segment_id": "{segment_id}"}),
    Asked("POST", "/v1/customers", {"first_name": "Cy", "last_name": "Fir", "external_id": "{external_id}"}),
    Asked("POST", "/v1/customers/bulk-delete", {**NAMED, "confirm_count": 1}),
    Asked("POST", "/v1/customers/bulk-delete", {"external_ids": ["{external_id}"], "confirm_count": 1}),
    Asked("POST", "/v1/customers/bulk-delete", {"segment_id": "{segment_id}", "confirm_count": 1}),
    Asked("GET", "/v1/customers", query={"segment_id": "{segment_id}"}),
    Asked("GET", "/v1/customers/count", query={"segment_id": "{segment_id}"}),
    *(Asked(method, "/v1/loyalty/favourites/{customer_id}") for method in ("PUT", "DELETE")),
    *(Asked(method, "/v1/loyalty/favourites/by-external-id/{external_id}") for method in ("PUT", "DELETE")),
    Asked("GET", RECURRING),
    Asked("GET", RECURRING + "/occurrences"),
    Asked("PATCH", RECURRING, {"name": "Stolen"}),
    Asked("DELETE", RECURRING),
    *(
        Asked("POST", "/v1/recurring-campaigns", {**BIRTHDAYS, **other})
        for other in (
            {"audience": {"segment_id": "{segment_id}", "every": {"day_of_month": 1}}},
            {"content": None, "template_id": "{template_id}"},
        )
    ),
    Asked("GET", SEQUENCE),
    *(Asked("GET", SEQUENCE + f"/{what}") for what in ("results", "versions")),
    Asked("POST", SEQUENCE + "/versions/1/move", {"steps": {}}, route=SEQUENCE + "/versions/{version}/move"),
    Asked("GET", SEQUENCE + "/enrolments"),
    Asked("GET", SEQUENCE + "/enrolments", query={"customer_id": "{customer_id}"}),
    Asked("GET", SEQUENCE + "/enrolments", query={"external_id": "{external_id}"}),
    Asked("POST", SEQUENCE + "/enrolments", {"customer_id": "{customer_id}", "entry_key": "1"}),
    Asked("POST", SEQUENCE + "/enrolments", {"external_id": "{external_id}", "entry_key": "1"}),
    Asked("PUT", SEQUENCE, SERIES),
    *(
        Asked("PUT", "/v1/sequences/ours", {**SERIES, **other}, route=SEQUENCE)
        for other in (
            {"filter": NAMING},
            {"steps": [{"if": NAMING}]},
            {"trigger": {"kind": "segment_entered", "segment_id": "{segment_id}"}},
            {"steps": [{"send": {**PREVIEW, "template_id": "{template_id}"}}]},
        )
    ),
    Asked("DELETE", SEQUENCE + "/enrolments/{customer_id}"),
    Asked("PATCH", SEQUENCE, {"status": "off"}),
    Asked("DELETE", SEQUENCE),
    Asked("GET", CAMPAIGN),
    *(Asked("GET", f"{CAMPAIGN}/{what}") for what in ("messages", "messages.csv", "excluded")),
    Asked("PATCH", CAMPAIGN, {"name": "Stolen"}),
    *(Asked("POST", f"{CAMPAIGN}/{course}") for course in ("pause", "resume", "cancel", "copy", "announce")),
    Asked("POST", CAMPAIGN + "/test", {"to": "owner@example.com"}),
    Asked("POST", CAMPAIGN + "/rollback-flags", {}),
    Asked("POST", CAMPAIGN + "/winner", {"variant": "A"}),
    Asked("POST", "/v1/campaigns", {**OFFER, "segment_id": "{segment_id}"}),
    Asked("POST", "/v1/campaigns", {**OFFER, **NAMED}),
    Asked("POST", "/v1/campaigns", {**OFFER, "external_ids": ["{external_id}"]}),
    Asked("POST", "/v1/campaigns", {**OFFER, "filter": EVERYBODYS, "include_customer_ids": ["{customer_id}"]}),
    Asked("POST", "/v1/campaigns", {**OFFER, "filter": EVERYBODYS, "include_external_ids": ["{external_id}"]}),
    Asked("POST", "/v1/campaigns", {**OFFER, "filter": EVERYBODYS, "exclude_customer_ids": ["{customer_id}"]}),
    Asked("POST", "/v1/campaigns", {**OFFER, "filter": EVERYBODYS, "exclude_external_ids": ["{external_id}"]}),
    Asked("POST", "/v1/messages", {**REMINDER, "customer_id": "{customer_id}"}),
    Asked("POST", "/v1/messages", {**REMINDER, "external_id": "{external_id}"}),
    Asked("GET", MESSAGE),
    Asked("GET", MESSAGE, query={"customer_id": "{customer_id}"}),
    Asked("GET", MESSAGE, query={"external_id": "{external_id}"}),
    Asked("PATCH", MESSAGE, {"content": {"body": "Stolen"}}),
    Asked("POST", MESSAGE + "/cancel"),
    Asked("GET", APPOINTMENT + "/log"),
    Asked("POST", APPOINTMENT + "/cancel-messages"),
    Asked("POST", APPOINTMENT + "/reschedule", {"starts_at": in_days(9)}),
    Asked("POST", "/v1/segments/preview", {**PREVIEW, "segment_id": "{segment_id}"}),
    Asked("POST", "/v1/segments/preview", {**PREVIEW, "filter": EVERYBODYS, "include_customer_ids": ["{customer_id}"]}),
    Asked("POST", "/v1/segments/preview", {**PREVIEW, "filter": EVERYBODYS, "include_external_ids": ["{external_id}"]}),
    Asked("POST", "/v1/segments/preview/recipients", {**PREVIEW, "segment_id": "{segment_id}"}),
    Asked(
        "POST",
        "/v1/segments/preview/recipients",
        {**PREVIEW, "filter": EVERYBODYS, "include_customer_ids": ["{customer_id}"]},
    ),
    Asked("GET", "/v1/segments/{segment_id}"),
    Asked("DELETE", "/v1/segments/{segment_id}"),
    Asked("PUT", "/v1/segments/{segment_id}", {"name": "Ours", "filter": EVERYBODYS}),
    Asked("PUT", "/v1/segments/ours", {"name": "Ours", "filter": NAMING}, route="/v1/segments/{segment_id}"),
    Asked("PUT", "/v1/segments/order", {"segment_ids": ["{segment_id}"]}),
    Asked("POST", "/v1/segments/preview", {**PREVIEW, "filter": NAMING}),
    Asked("POST", "/v1/campaigns", {**OFFER, "filter": NAMING}),
    Asked("GET", "/v1/customers/count", query={"filter": '{"segment": "{segment_id}"}'}),
    Asked("POST", "/v1/exports", {"format": "csv", "segment_id": "{segment_id}"}),
    Asked("GET", "/v1/exports/{export_id}"),
    Asked("POST", "/v1/imports", {"format": "csv", "content": IMPORTED}),
    Asked("GET", "/v1/imports/{import_id}"),
    Asked("GET", "/v1/jobs/{job_id}"),
    Asked("POST", "/v1/jobs/{job_id}/resume"),
    Asked("GET", "/v1/replies", query={"customer_id": "{customer_id}"}),
    Asked("GET", "/v1/replies", query={"external_id": "{external_id}"}),
    Asked("GET", "/v1/replies.csv", query={"customer_id": "{customer_id}"}),
    Asked("POST", "/v1/replies/{reply_id}/resolve", {"decision": "keep"}),
    Asked("POST", "/v1/messages", {**PREVIEW, "customer_id": "{customer_id}", "template_id": "{template_id}"}),
    Asked("POST", "/v1/campaigns", {**PREVIEW, "name": "N", "filter": EVERYBODYS, "template_id": "{template_id}"}),
    Asked("POST", "/v1/segments/preview", {**PREVIEW, "filter": EVERYBODYS, "template_id": "{template_id}"}),
    Asked("GET", TEMPLATE),
    Asked("GET", TEMPLATE, query={"version": "1"}),
    Asked("PUT", TEMPLATE, GREETING),
    Asked("PATCH", TEMPLATE, {"name": "Stolen"}),
    Asked("POST", TEMPLATE + "/publish"),
    Asked("POST", TEMPLATE + "/reset"),
    Asked("POST", TEMPLATE + "/preview", {}),
    Asked(
        "POST",
        "/v1/templates/class_confirmed.sms/preview",
        {"customer_id": "{customer_id}"},
        route=TEMPLATE + "/preview",
    ),
    Asked(
        "POST",
        "/v1/templates/class_confirmed.sms/preview",
        {"external_id": "{external_id}"},
        route=TEMPLATE + "/preview",
    ),
    Asked("DELETE", TEMPLATE),
    Asked("POST", "/v1/custom-events", {**HAPPENED, "customer_id": "{customer_id}"}),
    Asked("POST", "/v1/custom-events", {**HAPPENED, "external_id": "{external_id}"}),
    Asked("GET", "/v1/waivers/{waiver_id}"),
    Asked("POST", "/v1/waivers/{waiver_id}/versions", WAIVER),
    Asked("GET", WEBHOOK),
    Asked("PUT", WEBHOOK, HOOKED),
    Asked("DELETE", WEBHOOK),
    Asked("GET", WEBHOOK + "/deliveries"),
    Asked("POST", WEBHOOK + "/deliveries/{delivery_id}/replay"),
    *(Asked("POST", f"{WEBHOOK}/{what}") for what in ("test", "rotate-secret")),
]
WITHOUT_IDS: Final = [
    Asked("GET", path)
    for path in (
        "/v1/business",
        "/v1/customers",
        "/v1/campaigns",
        "/v1/recurring-campaigns",
        "/v1/segments",
        "/v1/sequences",
        "/v1/replies",
        "/v1/replies/review",
        "/v1/templates",
        "/v1/webhooks",
        "/v1/waivers",
    )
]


def apply_activity() -> None:
    """What the queue of activity would have done by now."""
    for row in rows()["ActivityTable"]:
        business_id, _, batch_id = row["owner"]["S"].partition("#batch#")
        if batch_id:
            body = {"business_id": business_id, "batch_id": batch_id, "part": int(row["entry_id"]["S"])}
            house.use_cases().apply_activity(AwsActivityPorts.decode_activity(json.dumps(body)))


def furnish(stack: Stack, business_id: str) -> dict[str, str]:
    """A business with one of everything; the ids."""

    def post(path: str, body: object) -> Any:
        answer = stack.api("POST", path, body, business_id=business_id)
        assert answer.status < 300, answer.text
        return answer.body

    mark = THEIR_MARK if business_id == THEIRS else "Cedar"
    ids = {"segment_id": f"{mark}-vips", "appointment_id": f"{mark}-1", "external_id": f"{mark}-7"}
    ids["webhook_id"] = f"{mark}-hook"
    ids["event_id"] = f"{mark}-visit"
    ids["waiver_id"] = f"{mark}-waiver"
    signed = {"version": mark, "note": mark, "url": f"https://sign.example.com/{mark}"}
    post(f"/v1/waivers/{ids['waiver_id']}/versions", signed)
    ids["template_id"] = f"{mark}-welcome"
    ids["sequence_id"] = f"{mark}-series"
    greeting = {**GREETING, "name": mark, "content": {"subject": mark, "text": mark}}
    welcome = f"/v1/templates/{ids['template_id']}"
    assert stack.api("PUT", welcome, greeting, business_id=business_id).status == 200
    hooked = {**HOOKED, "url": f"https://hooks.example.com/{mark}"}
    assert stack.api("PUT", f"/v1/webhooks/{mark}-hook", hooked, business_id=business_id).status < 300
    person = {"first_name": mark, "last_name": mark, "external_id": ids["external_id"], "general_tags": [mark]}
    contact = {"email": f"{mark.lower()}@example.com", "mobile_phone": PHONES[business_id]}
    customer = post("/v1/customers", {**person, **contact})["customer_id"]
    segment = {"name": mark, "filter": {"tag": mark}}
    assert stack.api("PUT", f"/v1/segments/{ids['segment_id']}", segment, business_id=business_id).status < 300
    campaign = post("/v1/campaigns", {**OFFER, "name": mark, "segment_id": ids["segment_id"]})
    recurring = post("/v1/recurring-campaigns", {**BIRTHDAYS, "name": mark})
    asking = {"appointment_id": ids["appointment_id"], "asks_confirmation": True, "content": {"body": mark}}
    message = post("/v1/messages", {**REMINDER, **asking, "customer_id": customer})
    series = f"/v1/sequences/{ids['sequence_id']}"
    assert stack.api("PUT", series, {**SERIES, "name": mark}, business_id=business_id).status == 200
    post(f"{series}/enrolments", {"customer_id": customer, "entry_key": mark})
    reply = f"SM{business_id}"
    receive(
        stack,
        text(
            MessageSid=reply, From=PHONES[business_id], To=NUMBERS[business_id], Body=f"please stop texting me, {mark}"
        ),
    )
    visit = {**VISIT, "event_id": ids["event_id"], "external_id": ids["external_id"], "class_id": mark}
    post("/v1/activity", {"events": [visit]})
    apply_activity()
    review = stack.api("GET", "/v1/replies/review", business_id=business_id).body["items"]
    return {
        **ids,
        "customer_id": customer,
        "campaign_id": campaign["campaign_id"],
        "recurring_campaign_id": recurring["recurring_campaign_id"],
        "message_id": message["message_id"],
        "reply_id": review[0]["reply_id"],
        "import_id": post("/v1/imports", {"format": "jsonl"})["import_id"],
        "export_id": post("/v1/exports", {"format": "csv"})["export_id"],
        "relation_id": post(f"/v1/customers/{customer}/relations", {"name": mark, "relationship": "pet"})[
            "relation_id"
        ],
        "delivery_id": post(f"/v1/webhooks/{mark}-hook/test", None)["delivery_id"],
        "job_id": post("/v1/customers/bulk-delete", {"tag": mark, "confirm_count": 9})["job_id"],
    }


def of(business_id: str) -> list[str]:
    """All rows of a business: those that have its id in one of their keys."""
    return sorted(
        f"{table} {json.dumps(row, sort_keys=True, default=str)}"
        for table, found in rows().items()
        for row in found
        if any(
            business_id in str(value)
            for name, value in row.items()
            if name.endswith("_id") or name in {"webhook", "owner", "part"}
        )
    )


@pytest.fixture
def theirs(stack: Stack) -> Iterator[Mapping[str, str]]:
    """The ids of the other business, whose rows stay as they are whatever the test does."""
    house.ports().businesses.add(business(business_id=OURS, name="Cedar", text_from=NUMBERS[OURS]))
    ids = furnish(stack, THEIRS)
    before = of(THEIRS)
    assert len(before) > 12
    yield ids
    assert of(THEIRS) == before


def likened(answer: Answer, ids: Mapping[str, str]) -> tuple[int, str]:
    """An answer without the ids that it was asked with, those it made, secrets, and times."""
    said = answer.text
    for name, id_ in ids.items():
        said = said.replace(id_, f"<{name}>")
    said = re.sub(r"[0-9a-f]{32}|[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{26}", "<id>", said)
    return answer.status, re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z?|X-Amz[^\"]*|whsec_[^\"]*", "<time>", said)


@pytest.mark.parametrize(
    "asked", REQUESTS, ids=lambda asked: f"{asked.method} {asked.path} {asked.body or asked.query}"
)
def test_what_is_another_businesss_is_as_if_it_did_not_exist(
    stack: Stack, theirs: Mapping[str, str], asked: Asked
) -> None:
    with_theirs = asked.of(stack, theirs)
    assert with_theirs.status < 500
    assert THEIR_MARK not in re.sub(f"{THEIR_MARK}-\\w+", "", with_theirs.text)
    assert likened(with_theirs, theirs) == likened(asked.of(stack, NOBODY), NOBODY)


def test_the_same_requests_find_what_is_ones_own(stack: Stack, theirs: Mapping[str, str]) -> None:
    ours = furnish(stack, OURS)
    for asked in REQUESTS:
        if asked.method == "GET":
            assert asked.of(stack, ours).status == 200, asked


def test_every_route_is_tried() -> None:
    document = json.loads((REPOSITORY / "docs/openapi.json").read_text(encoding="utf-8"))
    routes = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
        if not PUBLIC.match(path) and not path.startswith(OPERATORS)
    }
    tried = {(asked.method, asked.route or asked.path) for asked in (*REQUESTS, *WITHOUT_IDS)}

    # Its own settings (which senders they may name is tried in tests/unit/businesses/test_senders.py) and plan (in
    # tests/integration/text_plans), and what is made of nothing but the request.
    of_everybody = {
        ("POST", "/v1/layouts/render"),
        ("POST", "/v1/texts/measure"),
        ("GET", "/v1/template-events"),
        ("GET", "/v1/ready-made-sequences"),
        ("GET", "/v1/text-plan"),
        ("GET", "/v1/loyalty"),
    }
    assert routes - tried == {("PATCH", "/v1/business"), *of_everybody}
    assert tried <= routes


@pytest.mark.parametrize("asked", WITHOUT_IDS, ids=str)
def test_lists_and_their_cursors_show_what_is_ones_own(stack: Stack, theirs: Mapping[str, str], asked: Asked) -> None:
    for n in range(2):
        stack.api("POST", "/v1/customers", {"first_name": f"Cedar{n}", "last_name": "Fir"}, business_id=OURS)
    assert THEIR_MARK not in asked.of(stack, {}).text
    cursor = stack.api("GET", asked.path, query={"limit": "1"}).body.get("next_cursor")
    if cursor is not None:
        went_on = stack.api("GET", asked.path, query={"cursor": cursor}, business_id=OURS)
        assert went_on.status in {200, 422}
        assert THEIR_MARK not in went_on.text


def test_a_cursor_of_theirs_shows_nothing_of_theirs(stack: Stack) -> None:
    house.ports().businesses.add(business(business_id=OURS, name="Cedar", text_from=NUMBERS[OURS]))
    for business_id, mark in ((THEIRS, THEIR_MARK), (OURS, "Cedar")):
        for n in range(3):
            person = {"first_name": f"{mark}{n}", "last_name": mark, "mobile_phone": f"{PHONES[business_id][:-1]}{n}"}
            customer_id = stack.api("POST", "/v1/customers", person, business_id=business_id).body["customer_id"]
            segment = {"name": mark, "filter": {"tag": mark}}
            stack.api("PUT", f"/v1/segments/{mark}{n}", segment, business_id=business_id)
            stack.api("POST", "/v1/campaigns", {**OFFER, "name": mark, "filter": EVERYBODYS}, business_id=business_id)
            receive(
                stack,
                text(
                    MessageSid=f"SM{mark}{n}",
                    From=person["mobile_phone"],
                    To=NUMBERS[business_id],
                    Body=f"please stop texting me, {mark}",
                ),
            )
            for _ in range(2):
                stack.api("POST", "/v1/messages", {**REMINDER, "customer_id": customer_id}, business_id=business_id)
    whose = {id_: found["items"][0]["customer_id"] for id_ in NUMBERS if (found := page(stack, id_, "/v1/customers"))}
    lists = ["/v1/customers", "/v1/segments", "/v1/campaigns", "/v1/replies", "/v1/replies/review"]
    personal = [f"/v1/customers/{{}}/{kind}" for kind in ("messages", "log")]
    for path in (*lists, *personal):
        theirs = page(stack, THEIRS, path.format(whose[THEIRS]), limit="1")
        assert theirs["next_cursor"], path
        went_on = stack.api("GET", path.format(whose[OURS]), query={"cursor": theirs["next_cursor"]}, business_id=OURS)
        assert went_on.status in {200, 422}, path
        assert THEIR_MARK not in went_on.text
        assert THEIRS not in went_on.text


def page(stack: Stack, business_id: str, path: str, **query: str) -> Any:
    answer = stack.api("GET", path, query=query or None, business_id=business_id)
    assert answer.status == 200, answer.text
    return answer.body


def test_an_idempotency_key_of_theirs_does_our_own_work(stack: Stack, theirs: Mapping[str, str]) -> None:
    headers, body = {"Idempotency-Key": "same"}, {"first_name": "Cy", "last_name": "Fir"}
    first = stack.api("POST", "/v1/customers", body, headers=headers).body
    ours = stack.api("POST", "/v1/customers", body, headers=headers, business_id=OURS).body
    again = stack.api("POST", "/v1/customers", body, headers=headers).body
    stack.api("DELETE", f"/v1/customers/{first['customer_id']}")

    assert again == first
    assert ours["customer_id"] != first["customer_id"]


def test_an_upload_is_below_ones_own_business(stack: Stack, theirs: Mapping[str, str]) -> None:
    upload = stack.api("POST", "/v1/imports", {"format": "csv"}, business_id=OURS).body
    assert OURS in upload["upload_url"]
    assert THEIRS not in upload["upload_url"]


@pytest.mark.parametrize("command", ["rotate-key", "revoke-key"])
def test_a_command_about_a_key_needs_the_keys_own_business(stack: Stack, command: str) -> None:
    house.ports().businesses.add(business(business_id=OURS, name="Cedar", text_from=NUMBERS[OURS]))
    key = stack.invoke("operate_stack", {"command": "create-key", "business_id": THEIRS})
    before = of(THEIRS)
    answer = stack.invoke("operate_stack", {"command": command, "business_id": OURS, "key_id": key["key_id"]})

    assert [error["field"] for error in answer["errors"]] == ["command"]
    assert stack.invoke("operate_stack", {"command": "list-keys", "business_id": OURS}) == {"keys": []}
    assert of(THEIRS) == before


@pytest.mark.parametrize("command", [{"command": "add-sender"}, {"command": "remove-sender"}], ids=str)
def test_a_command_about_a_sender_of_theirs_is_refused(stack: Stack, command: Mapping[str, str]) -> None:
    house.ports().businesses.add(business(business_id=OURS, name="Cedar", text_from=NUMBERS[OURS]))
    sender = NUMBERS[THEIRS]
    stack.invoke("operate_stack", {"command": "add-sender", "business_id": THEIRS, "sender": sender})
    before = of(THEIRS)
    answer = stack.invoke("operate_stack", {**command, "business_id": OURS, "sender": sender})

    assert [error["field"] for error in answer["errors"]] == ["sender"]
    assert of(THEIRS) == before


def test_a_key_does_not_open_another_business(stack: Stack) -> None:
    house.ports().businesses.add(business(business_id=OURS, name="Cedar", text_from=NUMBERS[OURS]))
    token = stack.invoke("operate_stack", {"command": "create-key", "business_id": OURS})["api_key"]

    def effect(presented: str) -> str:
        event = recorded("api_gateway/authorize_request.json")
        event["headers"] = {"Authorization": f"Bearer {presented}"}
        answer = stack.invoke("authorize_request", event)
        found: str = answer["policyDocument"]["Statement"][0]["Effect"]
        return found

    assert effect(token) == "Allow"
    with pytest.raises(Exception, match="Unauthorized"):
        effect(token.replace(OURS, THEIRS))


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_link_of_ours_that_is_rewritten_for_their_customer_opens_nothing(
    stack: Stack, theirs: Mapping[str, str], purpose: Purpose
) -> None:
    """All links of a stack are signed with one key."""
    own, foreign = id_of(1), theirs["customer_id"]
    key, message = ContactKey(OURS, Channel.EMAIL, "cedar@example.com"), MessageKey(OURS, own, CAMPAIGN_ID)
    url = house.use_cases().link_writer.urls(key, message, {purpose: Scope.MARKETING})[purpose]
    path, _, token = url.partition("/live")[2].rpartition("/")
    raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    rewritten = raw.replace(bytes.fromhex(own), bytes.fromhex(foreign)).replace(OURS.encode(), THEIRS.encode())
    event = recorded("api_gateway/one_click.json")
    event["path"] = f"{path}/{urlsafe_b64encode(rewritten).rstrip(b'=').decode()}"

    assert rewritten != raw
    assert stack.invoke("serve_preferences", event)["statusCode"] == 404
