"""Previews of templates over the real handlers and tables."""

from typing import Any, Final

import pytest

from rebound.kernel.api_scopes import ALL_SCOPES
from rebound.kernel.languages import LANGUAGES
from rebound.templates.domain.template_events import template_events
from tests.integration.conftest import Answer, Stack
from tests.integration.templates.test_made_from_templates import PUT, sent

URL: Final = "/v1/templates/confirmed/preview"


@pytest.fixture
def ana(stack: Stack) -> str:
    assert stack.api("PUT", "/v1/templates/confirmed", PUT).status == 200
    person = {"first_name": "Ana", "last_name": "Silva", "email": "ana@example.com", "language": "de"}
    customer_id: str = stack.api("POST", "/v1/customers", {**person, "external_id": "crm-1"}).body["customer_id"]
    return customer_id


def preview(stack: Stack, url: str = URL, **body: Any) -> Answer:
    return stack.api("POST", url, body)


def test_a_preview_is_what_is_sent_but_for_the_links(stack: Stack, ana: str) -> None:
    given = {"class_name": "Yin & Yang"}
    shown = preview(stack, customer_id=ana, variables=given)
    assert shown.status == 200, shown.text
    assert shown.body["warnings"] == []
    posted = {"customer_id": ana, "category": "transactional", "channel": "email", "template_id": "confirmed"}
    assert stack.api("POST", "/v1/messages", {**posted, "variables": given}).status == 202
    assert sent(stack) == [(shown.body["subject"], shown.body["text"].split("\n")[0])]
    [email] = stack.mailer.emails
    assert shown.body["html"].split("<div")[0] == email.content.html.split("<div")[0]
    assert "https://preview.invalid/preferences_url" in shown.body["html"]
    assert preview(stack, external_id="crm-1", variables=given).body == shown.body


def test_without_a_customer_and_values_it_shows_examples_and_says_what_is_missing(stack: Stack, ana: str) -> None:
    shown = preview(stack).body
    assert shown["subject"] == "Vinyasa is booked"
    assert "Alex" in shown["text"]
    assert "5:30" in shown["text"]
    assert [each["field"] for each in shown["warnings"]] == ["variables.class_name"]
    german = preview(stack, language="de", variables={"class_name": "Yin"}).body
    assert (german["subject"], german["warnings"]) == ("Yin ist gebucht", [])


def test_drafts_and_versions_of_before_can_be_seen(stack: Stack, ana: str) -> None:
    body = {"contents": {"en": {"subject": "Now: ##{{class_name}}", "text": "T"}}}
    stack.api("PATCH", "/v1/templates/confirmed", body)
    stack.api(
        "PATCH", "/v1/templates/confirmed", {"contents": {"en": {"subject": "D", "text": "T"}}, "status": "draft"}
    )
    assert preview(stack).body["subject"] == "Now: Vinyasa"
    assert preview(stack, version=1).body["subject"] == "Vinyasa is booked"
    assert preview(stack, status="draft").body["subject"] == "D"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"customer_id": "0" * 32}, "customer_id"),
        ({"external_id": "nobody"}, "external_id"),
        ({"customer_id": "0" * 32, "external_id": "nobody"}, "external_id"),
        ({"variables": {"clas_name": "Y"}}, "variables.clas_name"),
        ({"language": "xx"}, "language"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_its_field(
    stack: Stack, ana: str, body: dict[str, Any], field: str
) -> None:
    refused = preview(stack, **body)
    assert (refused.status, refused.body["errors"][0]["field"]) == (422, field)


def test_a_customers_values_are_shown_to_who_may_read_customers(stack: Stack, ana: str) -> None:
    assert stack.api("POST", URL, {}, scopes="messages:read").status == 200
    refused = stack.api("POST", URL, {"customer_id": ana}, scopes="messages:read messages:write")
    assert (refused.status, refused.body["scope"]) == (403, "customers:read")
    assert stack.api("POST", URL, {"customer_id": ana}, scopes=" ".join(ALL_SCOPES)).status == 200
    assert stack.api("POST", "/v1/templates/nobodys/preview", {}).status == 404


@pytest.mark.parametrize("event", template_events())
def test_every_default_can_be_seen_in_every_language_and_nothing_is_kept(stack: Stack, event: str) -> None:
    for channel in ("email", "sms"):
        for language in LANGUAGES:
            shown = preview(stack, f"/v1/templates/{event}.{channel}/preview", language=language)
            assert shown.status == 200, shown.text
            said = " ".join(str(shown.body[name]) for name in ("subject", "html", "text"))
            assert "{{" not in said
            assert {each["field"].split(".")[0] for each in shown.body["warnings"]} <= {"variables"}
            assert (shown.body["html"] is None) == (channel == "sms")
    assert not [row for row in stack.table("DIRECTORY_TABLE") if row["entry_id"]["S"].startswith("template")]


def test_what_nobody_would_get_is_said(stack: Stack) -> None:
    body = {"name": "N", "channel": "sms", "variables": {"note": {}}, "content": {"body": "##{{note}}##{{note}}"}}
    assert stack.api("PUT", "/v1/templates/long", body).status == 200
    [warning] = preview(stack, "/v1/templates/long/preview", variables={"note": "x" * 900}).body["warnings"]
    assert (warning["field"], "nobody gets it" in warning["message"]) == ("text", True)
