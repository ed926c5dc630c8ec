"""What people and their address books type goes in as it is meant, and is found however it is typed again."""

from typing import Any

import pytest

from tests.fakes import house
from tests.fakes.making import BUSINESS_ID
from tests.integration.conftest import Answer, Stack


def create(stack: Stack, **given: Any) -> Answer:
    return stack.api("POST", "/v1/customers", {"first_name": "Ana", "last_name": "Silva", **given})


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Anne\u00a0Marie", "Anne Marie"),
        ("\u0639\u0644\u06cc\u200c\u0631\u0636\u0627", "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"),
        ("\u5c71\u7530\u3000\u82b1\u5b50", "\u5c71\u7530 \u82b1\u5b50"),
        ("\u202dAna\u202c\ufeff", "Ana"),
    ],
)
def test_a_name_is_kept_as_it_is_read(stack: Stack, given: str, kept: str) -> None:
    answer = create(stack, first_name=given, general_tags=[f"{given} "])

    assert answer.status == 201, answer.text
    assert (answer.body["first_name"], answer.body["general_tags"]) == (kept, [kept])


@pytest.mark.parametrize("given", ["\u200b", "\u3164", "\u00a0", "\u202d\u202c"])
def test_a_name_that_nobody_can_see_is_none(stack: Stack, given: str) -> None:
    answer = create(stack, first_name=given)

    assert (answer.status, answer.fields) == (422, ["first_name"])


def test_an_invisible_mark_in_an_email_address_refuses_it_and_one_around_it_goes(stack: Stack) -> None:
    assert create(stack, email="\u200bana@example.com ").body["email"] == "ana@example.com"
    answer = create(stack, email="ana\u200b@example.com")

    assert (answer.status, answer.fields) == (422, ["email"])


@pytest.mark.parametrize(
    ("query", "who"),
    [
        ({"q": "jose"}, {"first_name": "José"}),
        ({"q": "Jose\u0301"}, {"first_name": "José"}),
        ({"q": "(415) 555-0123"}, {"mobile_phone": "+14155550123"}),
        ({"tag": "Café"}, {"general_tags": ["Cafe\u0301"]}),
    ],
)
def test_a_customer_is_found_however_the_word_is_typed(
    stack: Stack, query: dict[str, str], who: dict[str, Any]
) -> None:
    wanted = create(stack, **who).body["customer_id"]
    create(stack, first_name="Bo", mobile_phone="+14155550999", general_tags=["cafeteria"])

    found = stack.api("GET", "/v1/customers", query=query).body["items"]

    assert [customer["customer_id"] for customer in found] == [wanted]


def test_tags_that_are_one_are_kept_once_as_they_were_written_first(stack: Stack) -> None:
    assert create(stack, general_tags=["Café", "VIP", "Cafe\u0301", "vip"]).body["general_tags"] == ["Café", "VIP"]
    assert create(stack, general_tags=["Café", "VIP", "Cafe\u0301"]).body["general_tags"] == ["Café", "VIP"]


@pytest.mark.parametrize(
    ("country", "field", "given", "right"),
    [
        ("DE", "mobile_phone", "4915112345678", "+4915112345678"),
        ("DE", "mobile_phone", "49 176 1234567", "+491761234567"),
        ("US", "mobile_phone", "\u202d+1 415 555 0123\u202c", "+14155550123"),
        ("DE", "mobile_phone", "+49\u00a0151 12345678", "+4915112345678"),
        ("GB", "day_phone", "020 7946 0958 ext 12", "+442079460958 ext. 12"),
        ("GB", "night_phone", "020 7946 0958 x12", "+442079460958 ext. 12"),
    ],
)
def test_a_number_is_kept_as_it_is_meant(stack: Stack, country: str, field: str, given: str, right: str) -> None:
    answer = _in(stack, country, **{field: given})

    assert (answer.status, answer.body.get(field)) == (201, right)
    changed = stack.api("PATCH", f"/v1/customers/{answer.body['customer_id']}", {field: answer.body[field]})
    assert changed.body[field] == right


@pytest.mark.parametrize(
    ("country", "given", "hint"),
    [
        ("US", "555-0123", "area code"),
        ("GB", "1111", "placeholder"),
        ("DE", "110", "emergency"),
        ("US", "000-000-0000", "placeholder"),
        ("US", "555-0123 Mom", "letters"),
        ("DE", "0171 1234567 (Axel)", "letters"),
        ("DE", "15112345678.0", "spreadsheet"),
        ("US", "1.41556E+10", "digits are lost"),
        ("GB", "020 7946 0958 ext 12", "extension"),
    ],
)
def test_a_number_that_reaches_nobody_is_refused_with_the_reason(
    stack: Stack, country: str, given: str, hint: str
) -> None:
    answer = _in(stack, country, mobile_phone=given)

    assert (answer.status, answer.fields) == (422, ["mobile_phone"])
    assert hint in answer.body["errors"][0]["message"]
    assert stack.table("CUSTOMERS_TABLE") == []


def _in(stack: Stack, country: str, **given: Any) -> Answer:
    assert stack.api("PATCH", "/v1/business", {"country": country}).status == 200
    assert house.ports().businesses.get(BUSINESS_ID).country == country
    return create(stack, **given)
