"""Layouts over the real handlers and tables."""

import re
from typing import Any, Final

import pytest

from tests.fakes import house
from tests.fakes.making import contacts_of, customer, id_of
from tests.fakes.partial_updates import in_days
from tests.integration.conftest import Stack

RENDER: Final = "/v1/layouts/render"
LAYOUT: Final[dict[str, Any]] = {
    "blocks": [
        {"kind": "heading", "text": "Hello ##{{first_name}}"},
        {"kind": "button", "text": "Book", "link": "https://studio.example.com/book"},
    ],
    "style": {"text_color": "#888888"},
}


def test_a_layout_comes_back_as_html_and_text_with_its_size_and_what_to_mend(stack: Stack) -> None:
    answer = stack.api("POST", RENDER, LAYOUT)

    assert answer.status == 200, answer.text
    assert answer.body.keys() == {"html", "text", "size", "warnings"}
    assert answer.body["text"] == "Hello ##{{first_name}}\n\nBook ( https://studio.example.com/book )\n"
    assert "Hello ##{{first_name}}" in answer.body["html"]
    assert '<html lang="en"' in answer.body["html"]
    assert answer.body["size"] > len(answer.body["html"].encode())
    assert answer.body["warnings"] == []


def test_a_layout_is_in_the_language_of_the_business_unless_it_says_another(stack: Stack) -> None:
    assert stack.api("PATCH", "/v1/business", {"text_answers": {"language": "de"}}).status == 200

    assert '<html lang="de"' in stack.api("POST", RENDER, LAYOUT).body["html"]
    assert '<html lang="fr"' in stack.api("POST", RENDER, {**LAYOUT, "language": "fr"}).body["html"]


def test_colours_that_are_hard_to_read_are_warned_of(stack: Stack) -> None:
    layout = {**LAYOUT, "blocks": [{"kind": "text", "text": "Grey"}]}

    (warning,) = stack.api("POST", RENDER, layout).body["warnings"]

    assert warning["field"] == "style.text_color"
    assert "3.54 to 1" in warning["message"]


def test_what_is_wrong_is_422_with_each_place_and_the_names_that_were_meant(stack: Stack) -> None:
    layout = {"blocks": [{"kind": "heading", "text": "##{{firstname}}"}, {"kind": "buton"}], "stile": {}}

    answer = stack.api("POST", RENDER, layout)

    assert answer.status == 422, answer.text
    assert answer.body["code"] == "validation_failed"
    assert answer.body["did_you_mean"] == {
        "blocks[0].text": "first_name",
        "blocks[1].kind": "button",
        "stile": "style",
    }
    assert {error["field"] for error in answer.body["errors"]} == answer.body["did_you_mean"].keys()


@pytest.mark.parametrize("body", [{}, {"blocks": None}, {"blocks": [None]}, {"blocks": [[]]}, {"blocks": {"0": {}}}])
def test_no_layout_at_all_is_422(stack: Stack, body: dict[str, Any]) -> None:
    assert stack.api("POST", RENDER, body).status == 422


def test_links_are_those_of_the_category(stack: Stack) -> None:
    layout = {"blocks": [{"kind": "button", "text": "Yes", "link": "##{{confirm_url}}"}]}

    assert stack.api("POST", RENDER, layout).status == 422
    assert stack.api("POST", RENDER, layout, query={"category": "transactional"}).status == 200
    assert stack.api("POST", RENDER, layout, query={"category": "sale"}).status == 422


SENT: Final[dict[str, Any]] = {**LAYOUT, "subject": "Hello ##{{first_name}}", "style": {}}


def message(**given: Any) -> dict[str, Any]:
    return {"customer_id": id_of(1), "category": "transactional", "channel": "email", **given}


def campaign(**given: Any) -> dict[str, Any]:
    return {"name": "x", "category": "marketing", "channel": "email", "customer_ids": [id_of(1)], **given}


@pytest.fixture
def ana(stack: Stack) -> Stack:
    """A customer to send to."""
    house.ports().customers.save([customer(1)], contacts_of(customer(1)))
    return stack


def test_a_message_says_what_its_layout_says(ana: Stack) -> None:
    posted = ana.api("POST", "/v1/messages", message(layout=SENT))
    assert posted.status == 202, posted.text
    ana.invoke("send_email", {"Records": ana.received("PROMPT_EMAIL_QUEUE_URL")})

    (sent,) = [email.content for email in ana.mailer.emails]
    assert sent.subject == f"Hello {customer(1).first_name}"
    assert "<h1 style=" in sent.html
    assert f"Hello {customer(1).first_name}" in sent.text
    assert "Book ( https://studio.example.com/book )" in sent.text
    assert "{{" not in sent.html + sent.text


def test_a_campaign_keeps_what_its_layout_was_rendered_to(ana: Stack) -> None:
    rendered = ana.api("POST", RENDER, SENT).body

    posted = ana.api("POST", "/v1/campaigns", campaign(layout=SENT, status="draft"))
    assert posted.status == 202, posted.text
    shown = ana.api("GET", f"/v1/campaigns/{posted.body['campaign_id']}").body

    expected = {"subject": SENT["subject"], "html": rendered["html"], "text": rendered["text"]}
    assert posted.body["content"] == shown["content"] == expected


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "content"),
        ({"layout": SENT, "content": {"subject": "a", "text": "b"}}, "layout"),
        ({"layout": SENT, "channel": "sms"}, "layout"),
        ({"layout": LAYOUT}, "layout.subject"),
        ({"layout": {**SENT, "blocks": [{"kind": "text", "text": "##{{frist_name}}"}]}}, "layout.blocks[0].text"),
        ({"layout": {}}, "layout.blocks"),
    ],
)
def test_a_layout_that_cannot_be_sent_is_refused_at_its_place(ana: Stack, given: dict[str, Any], field: str) -> None:
    for path, body in (("/v1/messages", message(**given)), ("/v1/campaigns", campaign(**given))):
        answer = ana.api("POST", path, body)

        assert answer.status == 422, answer.text
        assert [error["field"] for error in answer.body["errors"]] == [field]


def test_what_had_better_be_mended_in_a_layout_is_said_where_it_is_sent(ana: Stack) -> None:
    pale = {**SENT, "blocks": [{"kind": "text", "text": "Pale", "color": "#aaaaaa"}]}
    sent = campaign(layout=pale, send_at=in_days(3))
    ana.api("PATCH", "/v1/business", {"postal_address": "12 High Street"})

    [warning] = ana.api("POST", RENDER, pale).body["warnings"]
    told = {**warning, "field": f"layout.{warning['field']}"}
    for path, body in (("/v1/messages", message(layout=pale, send_at=in_days(3))), ("/v1/campaigns", sent)):
        posted = ana.api("POST", path, body)
        assert (posted.status, posted.body["warnings"]) == (202, [told])
        id_ = posted.body["message_id"] if path == "/v1/messages" else posted.body["campaign_id"]
        mended = ana.api("PATCH", f"{path}/{id_}", {"layout": SENT, "content": None})
        assert (mended.status, mended.body["warnings"]) == (200, []), mended.text
        assert ana.api("PATCH", f"{path}/{id_}", {"layout": pale}).body["warnings"] == [told]


def test_the_businesss_style_is_that_of_every_layout_that_says_no_other(stack: Stack) -> None:
    layout = {"blocks": [{"kind": "text", "text": "Hello"}, LAYOUT["blocks"][1]]}
    style = {"text_color": "#111111", "button_color": "#1b5e20", "font": "Georgia", "corner_radius": 0}
    plain = stack.api("POST", RENDER, layout).body["html"]

    answer = stack.api("PATCH", "/v1/business", {"layout_style": style})
    assert answer.status == 200, answer.text
    assert answer.body["layout_style"].items() >= {**style, "link_color": "#0b57d0", "heading_color": None}.items()
    ours = stack.api("POST", RENDER, layout).body["html"]
    other = stack.api("POST", RENDER, {**layout, "style": {"button_color": "#123456"}}).body["html"]
    named = stack.api("POST", RENDER, {**layout, "style": style}).body["html"]

    assert "#1b5e20" in ours
    assert ours == named != plain
    assert "#123456" in other
    assert "#1b5e20" not in other
    assert "Georgia" in other
    stack.api("PATCH", "/v1/business", {"layout_style": {"button_color": None}})
    assert stack.api("GET", "/v1/business").body["layout_style"].items() >= {**style, "button_color": "#0b57d0"}.items()
    stack.api("PATCH", "/v1/business", {"layout_style": None})
    assert stack.api("POST", RENDER, layout).body["html"] == plain


def test_a_style_that_is_none_is_refused_with_what_is_allowed_and_changes_nothing(stack: Stack) -> None:
    wrong = {
        "text_colour": "#111111",
        "font": "Georgio",
        "link_color": "red",
        "corner_radius": 31,
        "web_font": {"name": "Lato"},
        "button_color": 7,
        "content_color": "#ffffff",
    }

    answer = stack.api("PATCH", "/v1/business", {"layout_style": wrong})

    assert answer.status == 422, answer.text
    assert answer.fields == [
        f"layout_style.{name}"
        for name in ("button_color", "corner_radius", "font", "link_color", "text_colour", "web_font")
    ]
    assert answer.body["did_you_mean"] == {
        "layout_style.font": "Georgia",
        "layout_style.text_colour": "text_color",
    }
    assert stack.api("PATCH", "/v1/business", {"layout_style": "green"}).fields == ["layout_style"]
    assert stack.api("GET", "/v1/business").body["layout_style"]["content_color"] == "#ffffff"


def test_a_refused_link_names_only_variables_that_the_message_may_have(stack: Stack) -> None:
    layout: dict[str, Any] = {"blocks": [{"kind": "button", "text": "Book", "link": "salon.example"}]}
    refused = stack.api("POST", RENDER, layout, query={"category": "marketing"})
    [error] = refused.body["errors"]
    named = re.findall(r"##\{\{(\w+)\}\}", error["message"])
    assert named
    for name in named:
        block = {**layout["blocks"][0], "link": f"##{{{{{name}}}}}"}
        accepted = stack.api("POST", RENDER, {"blocks": [block]}, query={"category": "marketing"})
        assert accepted.status == 200, accepted.text


@pytest.mark.parametrize(("letters", "is_warned"), [(60_000, False), (79_500, True)])
@pytest.mark.parametrize("letter", ["a", "é"])
def test_of_html_of_the_clients_own_that_gmail_would_clip_there_is_a_warning(
    stack: Stack, letter: str, letters: int, is_warned: bool
) -> None:
    count = letters // len(letter.encode())
    content = {"subject": "S", "html": f"<p>Hi ##{{{{first_name}}}}</p><p>{letter * count}</p>"}
    house.ports().customers.save([customer(1)], contacts_of(customer(1)))
    message = {"customer_id": id_of(1), "category": "marketing", "channel": "email", "content": content}
    campaign = {"name": "N", "category": "marketing", "channel": "email", "filter": {"all": []}, "content": content}
    template = {"name": "N", "channel": "email", "category": "marketing", "content": content}
    answers = [
        stack.api("POST", "/v1/messages", message),
        stack.api("POST", "/v1/campaigns", campaign),
        stack.api("PUT", "/v1/templates/own", template),
    ]

    for answer in answers:
        assert answer.status in {200, 202}, answer.text
        told = [each for each in answer.body["warnings"] if each["field"] == "content.html"]
        assert bool(told) == is_warned
