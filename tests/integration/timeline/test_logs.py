"""The logs that people read through the API, over the real tables: one timeline, and the report of replies."""

import csv
import io
from typing import Any
from urllib.parse import parse_qsl

import pytest

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.history import ConsentStated, FlagChanged
from rebound.contacts.domain.replies import Keyword, Meaning, Reply
from rebound.kernel.api_scopes import ApiScope
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, at, customer, id_of
from tests.integration.conftest import Stack

NUMBER = "+14155560001"
TEXTED = ContactKey(BUSINESS_ID, Channel.SMS, NUMBER)
TEXT = {"category": "reminder", "channel": "sms", "content": {"body": "Tomorrow at ten"}}
STOP = ConsentEvidence(at(2), Scope.ALL, opted_out=True, source=ConsentSource.KEYWORD, message_id="SM2", words="STOP")


@pytest.fixture
def ana(stack: Stack) -> str:
    """A customer who can be texted."""
    assert stack.settings
    body = {"first_name": "Ana", "last_name": "Silva", "mobile_phone": NUMBER}
    customer_id: str = stack.api("POST", "/v1/customers", body).body["customer_id"]
    return customer_id


def texted(seconds: float, **given: Any) -> Reply:
    defaults: dict[str, Any] = {
        "key": TEXTED.hashed,
        "reply_id": f"SM{seconds:g}",
        "at": at(seconds),
        "to": "+14155550100",
        "meaning": Meaning.OTHER,
        "number": NUMBER,
        "body": "=1+1",
    }
    return house.ports().replies.add(Reply(**{**defaults, **given}))


def tell(said: ConsentEvidence) -> None:
    contact = house.ports().contacts.get_many([TEXTED])[TEXTED]
    house.ports().contacts.save(contact.with_evidence(said))


def test_everything_that_happened_with_a_customer_is_one_list_in_pages(stack: Stack, ana: str) -> None:
    texted(1, needs_staff=True)
    texted(2, meaning=Meaning.KEYWORD, keyword=Keyword.STOP, body="STOP")
    house.ports().contact_history.record(TEXTED, [FlagChanged(at(3), "bounce:mailbox_full", "c1"), ConsentStated(STOP)])
    posted = stack.api("POST", "/v1/messages", {**TEXT, "customer_id": ana}).body
    path = f"/v1/customers/{ana}/log"
    whole = stack.api("GET", path).body
    pages, cursor = [], None
    while True:
        query = {"limit": "2"} if cursor is None else {"limit": "2", "cursor": cursor}
        page = stack.api("GET", path, query=query).body
        pages += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert pages == whole["items"]
    assert [(entry["kind"], entry["sentence"]) for entry in whole["items"]] == [
        ("message", f"About to send reminder text to {NUMBER}."),
        ("flag", "The mobile number was flagged as invalid. The recipient's mailbox is full."),
        ("reply", 'Texted "STOP", which stops all texts.'),
        ("consent", 'Opted out of all texts by texting "STOP".'),
        ("reply", 'Texted "=1+1". Somebody should read it.'),
    ]
    message, flag, _, consent, reply = whole["items"]
    assert message["message"].items() <= posted.items()
    assert flag["flag"] == {"invalid": True, "reason": "bounce:mailbox_full"}
    assert consent["consent"] == {
        "scope": "all", "opted_out": True, "source": "keyword", "who": None, "words": "STOP", "message_id": "SM2",
    }  # fmt: skip
    assert (reply["reply"]["reply_id"], reply["reply"]["needs_staff"]) == ("SM1", True)
    assert {(entry["channel"], entry["address"], entry["former"], entry["shared_with"]) for entry in pages} == {
        ("sms", NUMBER, False, 0)
    }
    assert (whole["customer_id"], whole["texts_stopped"]) == (ana, None)


@pytest.mark.parametrize(
    ("sender", "number", "where"),
    [
        ("+14155550111", "+14155550111", "they text START to +14155550111."),
        ("MG" + "0" * 32, "+14155550100", "they text START to +14155550100."),
    ],
)
def test_stopped_texts_say_where_to_text_start(stack: Stack, ana: str, sender: str, number: str, where: str) -> None:
    house.use_cases().sender_grants.add(BUSINESS_ID, sender)
    assert stack.api("PATCH", "/v1/business", {"text_from": sender}).status == 200
    texted(2, meaning=Meaning.KEYWORD, keyword=Keyword.STOP, body="STOP")
    tell(STOP)
    stopped = stack.api("GET", f"/v1/customers/{ana}/log").body["texts_stopped"]

    assert (stopped["since"], stopped["source"]) == ("2026-11-20T12:00:02.000Z", "keyword")
    assert stopped["text_start_to"] == number
    assert stopped["sentence"].endswith(where)


def test_a_log_is_refused_for_what_it_cannot_be(stack: Stack, ana: str) -> None:
    assert stack.api("GET", f"/v1/customers/{id_of(7)}/log").status == 404
    assert stack.api("GET", f"/v1/customers/{ana}/log", business_id="other").status == 404
    for query in ({"cursor": "x"}, {"cursor": "QDdaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo"}, {"limit": "1001"}):
        assert stack.api("GET", f"/v1/customers/{ana}/log", query=query).status == 422


def test_replies_are_reported_with_every_filter(stack: Stack, ana: str) -> None:
    house.ports().customers.save([customer(2)], [])
    texted(1, needs_staff=True)
    texted(2, meaning=Meaning.KEYWORD, keyword=Keyword.STOP, body="STOP")
    other = ContactKey(BUSINESS_ID, Channel.SMS, "+14155560002")
    texted(3, key=other.hashed, number=other.address)

    def ids(**query: str) -> list[str]:
        answer = stack.api("GET", "/v1/replies", query=query)
        assert answer.status == 200, answer.text
        return [item["reply_id"] for item in answer.body["items"]]

    assert ids() == ["SM3", "SM2", "SM1"]
    assert ids(since="2026-11-20T12:00:02Z", until="2026-11-20T13:00:03+01:00") == ["SM2"]
    assert ids(kind="keyword") == ["SM2"]
    assert ids(customer_id=ana) == ["SM2", "SM1"]
    assert ids(q="stop") == ["SM2"]
    assert ids(needs_staff="true") == ["SM1"]
    assert ids(needs_staff="false", customer_id=ana) == ["SM2"]
    (first,) = stack.api("GET", "/v1/replies", query={"q": "STOP"}).body["items"]
    assert first["customers"] == [{"customer_id": ana, "external_id": None, "first_name": "Ana", "last_name": "Silva"}]
    assert (first["body"], first["number"], first["keyword"]) == ("STOP", NUMBER, "stop")


def test_the_report_as_csv_is_the_report_with_formulas_defused_and_a_link_to_more(stack: Stack, ana: str) -> None:
    assert ana
    for seconds in range(5):
        texted(seconds)
    text, query = "", {"limit": "2", "q": "1+1"}
    for _ in range(3):
        answer = stack.api("GET", "/v1/replies.csv", query=query)
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
        text += answer.text
        link = answer.headers.get("Link")
        if link is None:
            break
        target, _, relation = link.partition("; ")
        assert relation == 'rel="next"'
        query = dict(parse_qsl(target.strip("<>").removeprefix("?")))
    rows = list(csv.DictReader(io.StringIO(text)))

    assert [row["reply_id"] for row in rows] == ["SM4", "SM3", "SM2", "SM1", "SM0"]
    assert {(row["body"], row["number"], row["customers"]) for row in rows} == {("'=1+1", NUMBER, "Ana Silva")}


@pytest.mark.parametrize("path", ["/v1/replies", "/v1/replies.csv"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"since": "yesterday"}, "since"),
        ({"until": "2026-11-20T12:00:00"}, "until"),
        ({"kind": "poem"}, "kind"),
        ({"customer_id": "ana"}, "customer_id"),
        ({"needs_staff": "perhaps"}, "needs_staff"),
        ({"q": "x" * 201}, "q"),
        ({"limit": "0"}, "limit"),
        ({"cursor": "x"}, "cursor"),
    ],
)
def test_a_report_that_cannot_be_is_refused_by_field(
    stack: Stack, path: str, query: dict[str, str], field: str
) -> None:
    answer = stack.api("GET", path, query=query)

    assert (answer.status, answer.fields) == (422, [field]), answer.text


@pytest.mark.parametrize("path", ["/v1/replies", "/v1/replies.csv", "/v1/customers/{}/log"])
@pytest.mark.parametrize(("scope", "status"), [(ApiScope("messages:read"), 200), (ApiScope("customers:read"), 403)])
def test_logs_and_reports_ask_for_the_scope_of_messages(
    stack: Stack, ana: str, path: str, scope: ApiScope, status: int
) -> None:
    assert stack.api("GET", path.format(ana), scopes=scope).status == status


def test_what_a_campaign_has_yet_to_send_is_in_the_log_with_what_it_waits_for(stack: Stack, ana: str) -> None:
    posted = stack.api("POST", "/v1/campaigns", {**TEXT, "name": "Tomorrow", "customer_ids": [ana]}).body
    assert stack.api("GET", f"/v1/customers/{ana}/log").body["items"] == []
    stack.invoke("plan_campaign", {"business_id": BUSINESS_ID, "campaign_id": posted["campaign_id"]})
    [entry] = stack.api("GET", f"/v1/customers/{ana}/log").body["items"]
    stack.api("POST", f"/v1/campaigns/{posted['campaign_id']}/pause")
    [paused] = stack.api("GET", f"/v1/customers/{ana}/log", query={"limit": "1"}).body["items"]

    assert (entry["kind"], entry["held_because"], entry["address"]) == ("message", "turn", NUMBER)
    assert entry["message"]["campaign_id"] == posted["campaign_id"]
    assert (entry["message"]["status"], entry["message"]["held_until"]) == ("queued", None)
    assert (paused["held_because"], paused["message"]["message_id"]) == ("paused", entry["message"]["message_id"])
    assert paused["sentence"] == (
        f"About to send reminder text to {NUMBER}. Its campaign is paused; it goes out after a resume."
    )
    stack.api("POST", f"/v1/campaigns/{posted['campaign_id']}/cancel")
    assert stack.api("GET", f"/v1/customers/{ana}/log").body["items"] == []
