"""Messages and campaigns made from templates, over the real handlers and tables."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.integration.conftest import Answer, Stack

PUT: Final[dict[str, Any]] = {
    "name": "Class confirmed",
    "channel": "email",
    "variables": {
        "class_name": {"required": True, "example": "Vinyasa"},
        "starts": {"type": "time", "default": "17:30"},
    },
    "contents": {
        "en": {"subject": "##{{class_name}} is booked", "text": "See you at ##{{starts}}, ##{{first_name}}."},
        "de": {"subject": "##{{class_name}} ist gebucht", "text": "Bis ##{{starts}}, ##{{first_name}}."},
    },
}
MADE: Final = {"template_id": "confirmed", "variables": {"class_name": "Vinyasa"}}
EMAIL: Final = {"category": "transactional", "channel": "email"}


@pytest.fixture
def ana(stack: Stack) -> str:
    """A customer of a business with a template."""
    assert stack.api("PUT", "/v1/templates/confirmed", PUT).status == 200
    person = {"first_name": "Ana", "last_name": "Silva", "email": "ana@example.com", "language": "de"}
    customer_id: str = stack.api("POST", "/v1/customers", person).body["customer_id"]
    return customer_id


def message(stack: Stack, customer_id: str, **given: Any) -> Answer:
    return stack.api("POST", "/v1/messages", {**EMAIL, "customer_id": customer_id, **MADE, **given})


def campaign(stack: Stack, **given: Any) -> Answer:
    return stack.api("POST", "/v1/campaigns", {**EMAIL, "name": "N", "filter": {"all": []}, **MADE, **given})


def sent(stack: Stack) -> list[tuple[str, str]]:
    """Subjects and texts of what a worker hands over from the queue of single messages."""
    for record in stack.received("PROMPT_EMAIL_QUEUE_URL"):
        stack.invoke("send_email", {"Records": [record]})
    return [(email.content.subject, email.content.text.split("\n")[0]) for email in stack.mailer.emails]


def test_a_message_is_made_from_a_template_and_says_from_which(stack: Stack, ana: str) -> None:
    posted = message(stack, ana)

    assert posted.status == 202, posted.text
    assert {name: posted.body[name] for name in ("content", "template_id", "template_version", "variables")} == {
        "content": None,
        "template_id": "confirmed",
        "template_version": 1,
        "variables": {"class_name": "Vinyasa"},
    }
    assert posted.body["foreseen"]["decision"] == "send"
    assert stack.api("GET", f"/v1/messages/{posted.body['message_id']}").body["template_version"] == 1
    assert sent(stack) == [("Vinyasa ist gebucht", "Bis 17:30, Ana.")]


@pytest.mark.parametrize(
    ("given", "field", "meant"),
    [
        ({"template_id": "nobodys"}, "template_id", None),
        ({"template_id": ""}, "template_id", None),
        ({"template_id": "confirmed#0000001"}, "template_id", None),
        ({"template_id": "x" * 5_000}, "template_id", None),
        ({"variables": {"className": "V"}}, "variables.className", "class_name"),
        ({"variables": {}}, "variables.class_name", None),
        ({"variables": None}, "variables.class_name", None),
        ({"variables": {"class_name": " "}}, "variables.class_name", None),
        ({"variables": {"class_name": "V", "starts": "25:00"}}, "variables.starts", None),
        ({"content": {"subject": "S", "text": "T"}}, "template_id", None),
        ({"layout": {"subject": "S", "blocks": [{"kind": "divider"}]}}, "template_id", None),
        ({"template_id": None, "content": {"subject": "S", "text": "T"}}, "variables", None),
        ({"template_id": None, "variables": None}, "content", None),
        ({"channel": "sms"}, "template_id", None),
    ],
)
def test_what_no_message_can_be_made_of_is_refused_with_its_field(
    stack: Stack, ana: str, given: Mapping[str, Any], field: str, meant: str | None
) -> None:
    refused = message(stack, ana, **given)

    assert refused.status == 422, refused.text
    assert refused.body["errors"][0]["field"] == field
    assert refused.body.get("did_you_mean", {}).get(field) == meant
    assert sent(stack) == []


def test_a_message_that_waits_keeps_its_version_and_can_be_given_other_variables(stack: Stack, ana: str) -> None:
    waiting = message(stack, ana, send_at="2026-12-24T10:00:00Z", expires_at=None).body
    url = f"/v1/messages/{waiting['message_id']}"
    assert stack.api("PATCH", "/v1/templates/confirmed", {"contents": {"de": None}}).body["version"] == 2
    changed = stack.api("PATCH", url, {"variables": {"class_name": "Yin"}, "send_at": None})

    assert changed.status == 200, changed.text
    assert (changed.body["template_version"], changed.body["variables"]) == (1, {"class_name": "Yin"})
    assert stack.api("PATCH", url, {"variables": {"class_nme": "Yin"}}).status == 422
    assert sent(stack) == [("Yin ist gebucht", "Bis 17:30, Ana.")]


def test_a_message_that_waits_can_say_something_else_altogether(stack: Stack, ana: str) -> None:
    url = f"/v1/messages/{message(stack, ana, send_at='2026-12-24T10:00:00Z').body['message_id']}"
    layout = {"subject": "From blocks", "blocks": [{"kind": "heading", "text": "Hello ##{{first_name}}"}]}
    laid = stack.api("PATCH", url, {"layout": layout}).body
    assert (laid["template_id"], laid["variables"], laid["content"]["subject"]) == (None, None, "From blocks")
    assert stack.api("PATCH", url, {"variables": {}}).body["errors"][0]["field"] == "variables"
    made = stack.api("PATCH", url, MADE).body
    assert (made["template_id"], made["content"]) == ("confirmed", None)
    assert stack.api("PATCH", url, {"template_id": None}).body["errors"][0]["field"] == "template_id"
    plain = stack.api("PATCH", url, {"content": {"subject": "S", "text": "T"}}).body
    assert (plain["template_id"], plain["content"]["subject"]) == (None, "S")


def test_a_campaign_is_made_from_a_template_and_a_draft_takes_what_is_published_then(stack: Stack, ana: str) -> None:
    posted = campaign(stack)
    assert posted.status == 202, posted.text
    assert (posted.body["template_version"], posted.body["content"]) == (1, None)
    assert posted.body["foreseen"]["targeted"] == 1
    draft = campaign(stack, status="draft").body
    assert (draft["template_id"], draft["template_version"]) == ("confirmed", None)
    stack.api("PATCH", "/v1/templates/confirmed", {"name": "Another"})
    url = f"/v1/campaigns/{draft['campaign_id']}"
    copied = stack.api("POST", f"{url}/copy", {"variables": {"class_name": "Yin"}}).body
    assert (copied["template_version"], copied["variables"]) == (None, {"class_name": "Yin"})
    assert stack.api("POST", f"{url}/announce").body["template_version"] == 2
    stack.api("DELETE", "/v1/templates/confirmed")
    refused = stack.api("POST", f"/v1/campaigns/{copied['campaign_id']}/announce")
    assert (refused.status, refused.body["errors"][0]["field"]) == (422, "template_id")
    assert stack.api("GET", f"/v1/campaigns/{copied['campaign_id']}").body["status"] == "draft"


def test_a_draft_is_edited_into_a_layout_a_template_and_back(stack: Stack, ana: str) -> None:
    url = f"/v1/campaigns/{campaign(stack, status='draft').body['campaign_id']}"
    layout = {"subject": "Blocks", "blocks": [{"kind": "heading", "text": "Hi ##{{unsubscribe_url}}"}]}
    refused = stack.api("PATCH", url, {"layout": layout, "category": "one_to_one"})
    assert (refused.status, refused.body["errors"][0]["field"]) == (422, "layout.blocks[0].text")
    # The category of the same request counts.
    laid = stack.api("PATCH", url, {"layout": layout, "category": "marketing"})
    assert laid.status == 200, laid.text
    assert (laid.body["content"]["subject"], laid.body["template_id"]) == ("Blocks", None)
    assert stack.api("PATCH", url, {**MADE, "category": "transactional"}).body["template_version"] is None
    both = stack.api("PATCH", url, {**MADE, "content": {"subject": "S", "text": "T"}})
    assert (both.status, both.body["errors"][0]["field"]) == (422, "template_id")


def test_a_template_for_other_kinds_of_messages_is_refused_where_a_link_would_be_missing(
    stack: Stack, ana: str
) -> None:
    content = {"subject": "S", "text": "##{{unsubscribe_url}}"}
    offer = {"name": "Offer", "channel": "email", "category": "marketing", "content": content}
    assert stack.api("PUT", "/v1/templates/offer", offer).status == 200
    refused = message(stack, ana, template_id="offer", variables=None, category="one_to_one")

    assert refused.status == 422, refused.text
    [error] = refused.body["errors"]
    assert error["field"] == "template_id"
    assert "one_to_one" in error["message"]
    assert "unsubscribe_url" in error["message"]


def test_a_preview_of_an_audience_takes_a_template_or_a_layout(stack: Stack, ana: str) -> None:
    ask = {**EMAIL, "filter": {"all": []}}
    seen = stack.api("POST", "/v1/segments/preview", {**ask, **MADE})
    assert seen.body == {"matched": 1, "excluded": {}, "targeted": 1}
    declared = {**PUT, "variables": {**PUT["variables"], "birthday": {"required": True}}}
    stack.api("PUT", "/v1/templates/confirmed", declared)
    seen = stack.api("POST", "/v1/segments/preview", {**ask, **MADE})
    assert (seen.body["matched"], seen.body["targeted"]) == (1, 0)
    job = stack.api("POST", "/v1/segments/preview", {**ask, **MADE}, headers={"Prefer": "respond-async"})
    assert job.status == 202, job.text
    layout = {"subject": "S", "blocks": [{"kind": "heading", "text": "##{{frist_name}}"}]}
    assert stack.api("POST", "/v1/segments/preview", {**ask, "layout": layout}).body["did_you_mean"] == {
        "layout.blocks[0].text": "first_name"
    }
    assert stack.api("POST", "/v1/segments/preview", {**ask, "variables": {}}).status == 422


def test_a_test_of_a_campaign_from_a_template_is_marked(stack: Stack, ana: str) -> None:
    posted = campaign(stack, status="draft").body
    stack.api("PATCH", "/v1/business", {"test_recipients": ["owner@example.com"]})
    refused = stack.api("POST", f"/v1/campaigns/{posted['campaign_id']}/test", {"to": "owner@example.com"})
    assert refused.body["code"] == "test_recipient_unconfirmed"
