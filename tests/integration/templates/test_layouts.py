"""Layouts over the real handlers and tables."""

from typing import Any, Final

import pytest

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
        "blocks.0.text": "first_name",
        "blocks.1.kind": "button",
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
