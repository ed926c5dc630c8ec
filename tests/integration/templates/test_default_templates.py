"""The default templates of events over the real handlers and tables."""

from typing import Any, Final

import pytest

from rebound.templates.domain.template_events import template_events, variables_of
from tests.integration.conftest import Stack
from tests.integration.templates.test_made_from_templates import sent

URL: Final = "/v1/templates/class_cancelled.email"
TEXT: Final = "/v1/templates/waiver_to_sign.sms"


def rows(stack: Stack) -> list[str]:
    """What is stored of templates."""
    entries = [row["entry_id"]["S"] for row in stack.table("DIRECTORY_TABLE")]
    return [entry for entry in entries if entry.startswith("template")]


def given_for(event: str) -> dict[str, Any]:
    return {name: each.example for name, each in variables_of(event).items()}


@pytest.fixture
def ana(stack: Stack) -> str:
    person = {"first_name": "Ana", "last_name": "Silva", "language": "it"}
    addresses = {"email": "ana@example.com", "mobile_phone": "+14155550123"}
    customer_id: str = stack.api("POST", "/v1/customers", {**person, **addresses}).body["customer_id"]
    return customer_id


def test_defaults_are_there_without_anything_being_kept(stack: Stack) -> None:
    listed = stack.api("GET", "/v1/templates", query={"event": "class_cancelled"}).body["items"]
    assert [(each["template_id"], each["is_default"], each["published_version"]) for each in listed] == [
        ("class_cancelled.email", True, 1),
        ("class_cancelled.sms", True, 1),
    ]
    read = stack.api("GET", URL)
    assert read.status == 200, read.text
    shown = read.body
    assert (shown["event"], shown["is_default"], shown["status"], shown["version"]) == (
        "class_cancelled",
        True,
        "published",
        1,
    )
    assert set(shown["contents"]) == {"de", "en", "es", "fr", "it", "pt"}
    assert set(shown["variables"]) == set(variables_of("class_cancelled"))
    assert shown["draft_version"] is None
    assert rows(stack) == []
    assert stack.api("GET", "/v1/templates", query={"event": "class_canceled"}).body["did_you_mean"] == {
        "event": "class_cancelled"
    }


@pytest.mark.parametrize("event", template_events())
def test_a_message_from_a_default_goes_out_in_the_customers_language_and_keeps_its_version(
    stack: Stack, ana: str, event: str
) -> None:
    for channel in ("email", "sms"):
        body = {"customer_id": ana, "category": "transactional", "channel": channel}
        made = {"template_id": f"{event}.{channel}", "variables": given_for(event)}
        posted = stack.api("POST", "/v1/messages", {**body, **made})
        assert posted.status == 202, posted.text
        assert (posted.body["template_version"], posted.body["foreseen"]["decision"]) == (1, "send")
        assert rows(stack).count(f"template-version#{event}.{channel}#0000001") == 1
        assert stack.api("GET", f"/v1/templates/{event}.{channel}").body["version"] == 1
        again = stack.api("POST", "/v1/messages", {**body, **made}).body
        assert (again["template_version"], len(rows(stack))) == (1, 2 if channel == "email" else 4)
    subject, _ = sent(stack)[0]
    assert "{{" not in subject
    email = stack.mailer.emails[0]
    assert 'lang="it"' in email.content.html
    assert "{{" not in email.content.html + email.content.text


def test_an_edit_makes_it_the_businesss_own_and_a_reset_takes_it_back_as_a_new_version(stack: Stack) -> None:
    names = set(variables_of("class_cancelled"))
    edited = stack.api("PATCH", URL, {"contents": {"de": {"subject": "Abgesagt", "text": "Schade."}}})
    assert edited.status == 200, edited.text
    assert (edited.body["is_default"], edited.body["version"], edited.body["event"]) == (False, 2, "class_cancelled")
    assert edited.body["contents"]["de"]["subject"] == "Abgesagt"
    assert edited.body["contents"]["it"] == stack.api("GET", URL).body["contents"]["it"]
    assert set(edited.body["variables"]) == names
    found = stack.api("GET", "/v1/templates", query={"q": "schade"}).body["items"]
    assert [(each["template_id"], each["is_default"]) for each in found] == [("class_cancelled.email", False)]

    reset = stack.api("POST", f"{URL}/reset")
    assert (reset.status, reset.body["is_default"], reset.body["version"]) == (200, True, 3)
    assert reset.body["contents"]["de"] != edited.body["contents"]["de"]
    assert stack.api("POST", f"{URL}/reset").body["version"] == 3
    assert stack.api("GET", URL, query={"version": "2"}).body["contents"]["de"]["subject"] == "Abgesagt"
    assert stack.api("DELETE", URL).status == 204
    assert stack.api("GET", URL).body["is_default"]
    assert stack.api("DELETE", URL).status == 404


def test_a_template_of_ones_own_has_no_default(stack: Stack) -> None:
    body = {"name": "N", "channel": "sms", "content": {"body": "Hi"}}
    assert stack.api("PUT", "/v1/templates/mine", body).status == 200
    assert stack.api("POST", "/v1/templates/mine/reset").body["resource"] == "default_template"


def test_the_id_of_a_default_says_what_it_is_about(stack: Stack) -> None:
    email = {"name": "N", "content": {"subject": "S", "text": "##{{class_name}}"}}
    saved = stack.api("PUT", URL, {**email, "channel": "email"}).body
    assert (saved["event"], saved["category"], saved["is_default"]) == ("class_cancelled", "transactional", False)
    for wrong, field in (
        ({"channel": "sms", "content": {"body": "Hi"}}, "channel"),
        ({"channel": "email", "event": "class_confirmed"}, "event"),
        ({"channel": "email", "event": "nothing"}, "event"),
    ):
        refused = stack.api("PUT", URL, {**email, **wrong})
        assert (refused.status, refused.body["errors"][0]["field"]) == (422, field)


def test_a_template_of_an_event_may_use_its_variables_and_needs_those_that_it_uses(stack: Stack, ana: str) -> None:
    content = {"subject": "##{{class_name}}", "text": "Hi ##{{first_name}}"}
    body = {"name": "Mine", "channel": "email", "event": "class_confirmed", "content": content}
    saved = stack.api("PUT", "/v1/templates/mine", body)
    assert saved.status == 200, saved.text
    needed = {name for name, each in saved.body["variables"].items() if each["required"]}
    assert needed == {"class_name"}
    refused = stack.api("PUT", "/v1/templates/mine", {**body, "content": {"subject": "##{{classname}}", "text": "T"}})
    assert refused.body["did_you_mean"] == {"content.subject": "class_name"}
    message = {"customer_id": ana, "category": "transactional", "channel": "email", "template_id": "mine"}
    refused = stack.api("POST", "/v1/messages", message)
    assert [each["field"] for each in refused.body["errors"]] == ["variables.class_name"]
    own = {**body, "variables": {"class_name": {"default": "your class"}}}
    assert stack.api("PUT", "/v1/templates/mine", own).status == 200
    assert stack.api("POST", "/v1/messages", message).status == 202


def test_a_template_that_asks_to_sign_something_has_to_say_where(stack: Stack) -> None:
    refused = stack.api("PATCH", TEXT, {"contents": {"de": {"body": "Bitte unterschreiben."}}})
    assert refused.status == 422, refused.text
    [error] = refused.body["errors"]
    assert error["field"] == "contents.de"
    assert "##{{url}}" in error["message"]
    assert stack.api("PATCH", TEXT, {"contents": {"de": {"body": "Bitte: ##{{url}}"}}}).status == 200


def test_a_draft_of_a_default_leaves_the_default_published(stack: Stack) -> None:
    drafted = stack.api("PATCH", URL, {"name": "Later", "status": "draft"}).body
    assert (drafted["status"], drafted["is_default"]) == ("draft", False)
    assert stack.api("GET", URL).body["is_default"]
    assert stack.api("GET", URL, query={"status": "draft"}).body["name"] == "Later"
    published = stack.api("POST", f"{URL}/publish").body
    assert (published["name"], published["is_default"], published["status"]) == ("Later", False, "published")


def test_editors_of_a_default_do_not_overwrite_each_other(stack: Stack) -> None:
    tag = stack.api("GET", URL).headers["ETag"]
    assert stack.api("PATCH", URL, {"name": "Mine"}, headers={"If-Match": tag}).status == 200
    assert stack.api("PATCH", URL, {"name": "Theirs"}, headers={"If-Match": tag}).status == 412
    assert stack.api("POST", f"{URL}/reset", headers={"If-Match": tag}).status == 412


def test_a_default_is_in_the_businesss_style_of_the_day_and_what_was_made_from_it_in_that_of_its(
    stack: Stack, ana: str
) -> None:
    body = {"customer_id": ana, "category": "transactional", "channel": "email"}
    made = {"template_id": "class_confirmed.email", "variables": given_for("class_confirmed")}
    assert stack.api("POST", "/v1/messages", {**body, **made}).body["template_version"] == 1
    assert stack.api("PATCH", "/v1/business", {"layout_style": {"background_color": "#fffbe6"}}).status == 200
    shown = stack.api("GET", "/v1/templates/class_confirmed.email").body
    assert (shown["version"], shown["is_default"]) == (2, True)
    assert stack.api("POST", "/v1/messages", {**body, **made}).body["template_version"] == 2
    assert stack.api("GET", "/v1/templates/class_confirmed.email").body["version"] == 2
    sent(stack)
    assert ["#fffbe6" in email.content.html for email in stack.mailer.emails] == [False, True]
    text = {"template_id": "class_confirmed.sms", "variables": given_for("class_confirmed")}
    assert stack.api("POST", "/v1/messages", {**body, "channel": "sms", **text}).body["template_version"] == 1
    assert stack.api("PATCH", "/v1/business", {"layout_style": {"background_color": "#ffffff"}}).status == 200
    assert stack.api("GET", "/v1/templates/class_confirmed.sms").body["version"] == 1


def test_what_an_event_gives_stays_what_it_is(stack: Stack) -> None:
    body = {"name": "W", "event": "waiver_to_sign", "channel": "sms", "content": {"body": "##{{url}}"}}
    declared = {"url": {"type": "text", "required": False}}
    refused = stack.api("PUT", "/v1/templates/w", {**body, "variables": declared})
    assert refused.status == 422
    assert [each["field"] for each in refused.body["errors"]] == ["variables.url.required", "variables.url.type"]
    kept = {"url": {"type": "url", "required": True, "example": "https://salon.example/w"}}
    assert stack.api("PUT", "/v1/templates/w", {**body, "variables": kept}).status == 200
