"""Texts while they are written, over the real handlers and tables."""

from typing import Any, Final

import pytest

from tests.integration.conftest import Stack

MEASURE: Final = "/v1/texts/measure"
PRICES: Final = "/v1/operator/text-prices"
AS_IT_IS: Final[dict[str, Any]] = {
    "is_too_long": False,
    "simplified": None,
    "with_examples": None,
    "at_longest": None,
    "price": None,
}


def test_a_text_comes_back_with_its_size(stack: Stack) -> None:
    answer = stack.api("POST", MEASURE, {"body": "See you on Monday"})

    assert answer.status == 200, answer.text
    size = {"encoding": "GSM-7", "segments": 1, "units": 17, "left": 143, "offenders": []}
    assert answer.body == {**AS_IT_IS, **size}


def test_what_makes_it_larger_is_named_with_its_place_and_what_says_the_same(stack: Stack) -> None:
    answer = stack.api("POST", MEASURE, {"body": f"\U0001f600 “á {'a' * 70}"}).body

    assert (answer["encoding"], answer["segments"], answer["units"], answer["left"]) == ("UCS-2", 2, 76, 58)
    assert answer["offenders"] == [
        {"character": "\U0001f600", "index": 0, "replacement": None},
        {"character": "“", "index": 2, "replacement": '"'},
        {"character": "á", "index": 3, "replacement": None},
    ]
    assert answer["simplified"] is None


def test_plain_signs_are_shown_as_a_difference_and_sent_once_the_business_wants_it(stack: Stack) -> None:
    text, plain = f"“See you” {'a' * 70}", f'"See you" {"a" * 70}'
    simple = {"body": plain, "segments": 1, "saved": 1, "is_applied": False}

    assert stack.api("POST", MEASURE, {"body": text}).body["simplified"] == simple
    assert stack.api("PATCH", "/v1/business", {"smart_encoding": True}).body["smart_encoding"] is True
    assert stack.api("POST", MEASURE, {"body": text}).body["simplified"] == {**simple, "is_applied": True}


def test_placeholders_have_a_range(stack: Stack) -> None:
    answer = stack.api("POST", MEASURE, {"body": "Hi ##{{first_name}}"}).body

    assert (answer["units"], answer["segments"]) == (23, 1)
    shown, longest = answer["with_examples"], answer["at_longest"]
    assert (shown["body"], shown["units"], shown["encoding"]) == ("Hi Ana", 6, "GSM-7")
    assert (longest["units"], longest["segments"], longest["encoding"]) == (103, 2, "UCS-2")


def test_a_text_of_a_template_has_its_variables(stack: Stack) -> None:
    body = "Hi ##{{first_name}}: ##{{class_name}}, ##{{starts}}, ##{{price}}. ##{{url}}"
    variables = {
        "class_name": {"example": "Vinyasa", "required": True},
        "starts": {"type": "time", "example": "17:30"},
        "price": {"type": "money", "default": {"amount": "12.50", "currency": "USD"}},
        "url": {"type": "url", "example": "https://studio.example.com/a"},
        "first_name": {"default": "you"},
    }

    assert stack.api("POST", MEASURE, {"body": body}).fields == ["body"] * 4
    answer = stack.api("POST", MEASURE, {"body": body, "variables": variables})

    assert answer.status == 200, answer.text
    shown = answer.body["with_examples"]
    assert shown["body"] == "Hi Ana: Vinyasa, 5:30 PM, $12.50. https://studio.example.com/a"
    assert (shown["encoding"], shown["segments"]) == ("GSM-7", 1)
    assert answer.body["at_longest"]["units"] == len(": , 5:30 PM, $12.50. Hi ") + 100 + 200 + 200
    refused = stack.api("POST", MEASURE, {"body": "##{{classname}}", "variables": {"class_name": {"type": "colour"}}})
    assert (refused.status, refused.fields) == (422, ["variables.class_name.type"])
    misspelt = stack.api("POST", MEASURE, {"body": "##{{classname}}", "variables": {"class_name": {}}})
    assert misspelt.body["did_you_mean"] == {"body": "class_name"}


def test_an_unknown_placeholder_is_422_with_the_name_that_was_meant(stack: Stack) -> None:
    answer = stack.api("POST", MEASURE, {"body": "Hi ##{{firstname}}"})

    assert (answer.status, answer.fields, answer.body["did_you_mean"]) == (422, ["body"], {"body": "first_name"})


@pytest.mark.parametrize("asked", [{}, {"body": None}, {"body": 1}, {"body": "x" * 10_001}, {"body": "x", "text": "y"}])
def test_what_is_no_text_is_refused(stack: Stack, asked: Any) -> None:
    assert stack.api("POST", MEASURE, asked).status == 422


def test_the_price_is_the_operators(stack: Stack) -> None:
    asked, entered = {"price": "0.0083", "currency": "USD"}, {"country": "US", "provider": "twilio"}
    text = {"body": "a" * 161}

    answer = stack.api("PUT", f"{PRICES}/us/twilio", asked)
    assert (answer.status, answer.body) == (200, {**asked, **entered})
    assert stack.api("PUT", f"{PRICES}/DE/sns", {"price": "0.07", "currency": "EUR"}).status == 200
    priced = {"amount": "0.0166", "per_segment": "0.0083", "currency": "USD"}
    assert stack.api("POST", MEASURE, text).body["price"] == priced
    first = stack.api("GET", PRICES, query={"limit": "1"}).body
    rest = stack.api("GET", PRICES, query={"cursor": first["next_cursor"]}).body
    assert [each["country"] for each in (*first["items"], *rest["items"])] == ["DE", "US"]
    assert stack.api("DELETE", f"{PRICES}/US/twilio").status == 204
    assert stack.api("DELETE", f"{PRICES}/US/twilio").status == 404
    assert stack.api("POST", MEASURE, text).body["price"] is None


def test_what_is_no_price_is_refused(stack: Stack) -> None:
    answer = stack.api("PUT", f"{PRICES}/XX/ses", {"price": "1,5", "currency": "$"})

    assert (answer.status, answer.fields) == (422, ["country", "currency", "price", "provider"])
    assert stack.api("GET", PRICES).body["items"] == []


def test_a_price_is_in_a_currency_that_there_is(stack: Stack) -> None:
    answer = stack.api("PUT", f"{PRICES}/US/twilio", {"price": "0.0083", "currency": "XYZ"})

    assert (answer.status, answer.fields) == (422, ["currency"])
    assert stack.api("GET", PRICES).body["items"] == []
