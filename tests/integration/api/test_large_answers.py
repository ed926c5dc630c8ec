"""An answer is never larger than what Lambda takes, and what is kept of it never larger than a row."""

import json
import random
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Final

import pytest

from rebound.customers.domain import Customer
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.platform.http import app
from rebound.platform.http.once import KEPT_AS_IT_IS, do_once
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, customer, id_of
from tests.integration.conftest import Context, Stack

LAMBDA: Final = 6 * 1024 * 1024
"""Bytes of an answer that Lambda takes ("Lambda quotas": invocation payload, synchronous)."""
HEAVY: Final = tuple("\U0001f6d2" * 60 + f"{number:04}" for number in range(50))
"""As many tags as a customer may have, each as long as it may be."""


def fill(customers: int, **more: Any) -> set[str]:
    """Customers, and their ids."""
    made: list[Customer] = [customer(number + 1, email=None, mobile_phone=None, **more) for number in range(customers)]
    for first in range(0, customers, 50):
        house.ports().customers.save(made[first : first + 50], [])
    return {each.customer_id for each in made}


def pages(stack: Stack, path: str, limit: int, **more: Any) -> Iterator[Mapping[str, Any]]:
    cursor: dict[str, str] = {}
    method, address = path.split()
    for _ in range(1000):
        answer = stack.api(method, address, query={"limit": str(limit), **cursor}, **more)
        assert answer.status == 200, answer.text
        assert len(json.dumps({"body": answer.text}, ensure_ascii=False).encode()) < LAMBDA
        yield answer.body
        if answer.body["next_cursor"] is None:
            return
        cursor = {"cursor": answer.body["next_cursor"]}
    raise AssertionError("the list has no end")


def test_a_thousand_customers_are_one_page(stack: Stack) -> None:
    expected = fill(1000)

    (page,) = pages(stack, "GET /v1/customers", 1000)

    assert {item["customer_id"] for item in page["items"]} == expected


def test_customers_whose_page_would_be_too_large_come_in_several(stack: Stack) -> None:
    expected = fill(400, general_tags=HEAVY)

    found = [[item["customer_id"] for item in page["items"]] for page in pages(stack, "GET /v1/customers", 1000)]

    assert len(found) > 1
    assert sorted(chain.from_iterable(found)) == sorted(expected)


@pytest.mark.parametrize("largest", [1, 700, 2_000, 10_000, 1_000_000])
def test_a_list_is_the_same_however_small_its_pages_have_to_be(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, largest: int
) -> None:
    expected = fill(25)
    audience = {"filter": {"all": []}, "channel": Channel.EMAIL, "category": Category.MARKETING}
    monkeypatch.setattr(app, "LARGEST_PAGE", largest)

    for path, more in (("GET /v1/customers", {}), ("POST /v1/segments/preview/recipients", {"body": audience})):
        found = [item["customer_id"] for page in pages(stack, path, 1000, **more) for item in page["items"]]

        assert sorted(found) == sorted(expected), path


def test_a_post_that_changes_something_is_not_made_twice_for_the_size_of_its_answer(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "LARGEST_PAGE", 1)

    answer = stack.api("POST", "/v1/customers", {"first_name": "Ana", "last_name": "Silva"})

    assert answer.status == 201
    assert len(stack.table("CUSTOMERS_TABLE")) == 1


def test_parts_of_lists_are_not_kept_for_an_idempotency_key(stack: Stack) -> None:
    fill(2)
    asked = {"filter": {"all": []}, "channel": "email", "category": "marketing"}
    for limit in ("1", "2"):
        answer = stack.api(
            "POST",
            "/v1/segments/preview/recipients",
            asked,
            query={"limit": limit},
            headers={"Idempotency-Key": "once"},
        )
        assert len(answer.body["items"]) == int(limit)

    assert stack.table("IDEMPOTENCY_TABLE") == []


@pytest.mark.parametrize("letters", ["aA0 ", "äöüßéñ", "山川語文字漢", "\U0001f6d2\U0001f600\U0001f680", '"\\\n'])
def test_what_the_largest_request_is_answered_with_is_kept_and_given_again(stack: Stack, letters: str) -> None:
    chance = random.Random(7)  # noqa: S311 - data for a test
    alphabet = [*letters, *(chr(ord(letter) + shift) for letter in letters for shift in range(60))]
    body = ""
    while len(body.encode()) < 270_000:
        body += json.dumps("".join(chance.choices(alphabet, k=1000)), ensure_ascii=False)
    made: list[int] = []

    def perform() -> dict[str, Any]:
        made.append(1)
        return {"status": 202, "body": body}

    answers = [do_once(perform, [BUSINESS_ID, "/v1/campaigns", letters], {}, Context()) for _ in range(3)]

    assert [(answer["status"], answer["body"]) for answer in answers] == [(202, body)] * 3
    assert len(made) == 1


def test_a_short_answer_is_kept_as_it_is(stack: Stack) -> None:
    answers = [
        do_once(lambda: {"status": 201, "body": "x" * KEPT_AS_IT_IS}, [BUSINESS_ID, "/", id_of(1)], {}, Context())
        for _ in range(2)
    ]

    assert [answer["body"] for answer in answers] == ["x" * KEPT_AS_IT_IS] * 2
    assert "x" * KEPT_AS_IT_IS in str(stack.table("IDEMPOTENCY_TABLE"))
