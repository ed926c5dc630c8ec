"""The business's postal address and the address for answers, from the settings to what SES is handed."""

import json
from typing import Any

import pytest

from tests.fakes import house
from tests.fakes.making import customer, id_of
from tests.integration.conftest import Stack

ADDRESS = "12 High Street, Springfield, OR 97477, USA"
EMAIL = {"channel": "email", "content": {"subject": "Hello", "text": "Hello"}}
TEXT = {"channel": "sms", "content": {"body": "Hello"}}


@pytest.fixture
def ana(stack: Stack) -> str:
    """A customer who can be reached on both channels."""
    assert stack.settings
    house.ports().customers.save([customer(1)], [])
    return id_of(1)


def posted(stack: Stack, path: str, **given: Any) -> Any:
    to = {"customer_id": id_of(1)} if path == "messages" else {"name": "Offer", "filter": {"all": []}}
    answer = stack.api("POST", f"/v1/{path}", {**to, **given})
    assert answer.status == 202, answer.text
    return answer.body.get("warnings", [])


@pytest.mark.parametrize("path", ["campaigns", "messages"])
def test_marketing_by_email_without_a_postal_address_is_taken_with_a_warning(stack: Stack, ana: str, path: str) -> None:
    warning = posted(stack, path, category="marketing", **EMAIL)
    others = [
        posted(stack, path, category="marketing", **TEXT),
        posted(stack, path, category="reminder", **EMAIL),
        posted(stack, path, category="one_to_one", **EMAIL),
    ]
    assert stack.api("PATCH", "/v1/business", {"postal_address": f" {ADDRESS} "}).body["postal_address"] == ADDRESS

    assert [(each["field"], "PATCH /v1/business" in each["message"]) for each in warning] == [("postal_address", True)]
    assert others == [[], [], []]
    assert posted(stack, path, category="marketing", **EMAIL) == []


@pytest.mark.parametrize(
    "given",
    [
        {"postal_address": ""},
        {"postal_address": "a\nb"},
        {"postal_address": "x" * 201},
        {"reply_to": "desk"},
        {"reply_to": 1},
        {"reply_to": "ä@example.com"},
    ],
)
def test_what_is_no_address_is_refused_and_changes_nothing(stack: Stack, given: dict[str, Any]) -> None:
    answer = stack.api("PATCH", "/v1/business", {"name": "Other", **given})
    after = stack.api("GET", "/v1/business").body

    assert (answer.status, answer.fields) == (422, list(given)), answer.text
    assert (after["name"], after["postal_address"], after["reply_to"]) == ("Salon Juniper", None, None)


def test_both_can_be_emptied(stack: Stack) -> None:
    stack.api("PATCH", "/v1/business", {"postal_address": ADDRESS, "reply_to": "desk@juniper.example.com"})
    after = stack.api("PATCH", "/v1/business", {"postal_address": None, "reply_to": None}).body

    assert (after["postal_address"], after["reply_to"]) == (None, None)


@pytest.mark.parametrize(
    ("path", "content", "field"),
    [
        (
            "campaigns",
            {"channel": "email", "content": {"subject": "Hi {{first_name}}", "text": "x"}},
            "content.subject",
        ),
        ("campaigns", {"channel": "email", "content": {"subject": "Hi", "html": "{{ first_name }}"}}, "content.html"),
        ("messages", {"channel": "email", "content": {"subject": "Hi", "text": "Hi {{first_name}}"}}, "content.text"),
        ("messages", {"channel": "sms", "content": {"body": "Hi {{first_name}}"}}, "content.body"),
    ],
)
def test_a_placeholder_without_hashes_is_refused_wherever_it_is_posted(
    stack: Stack, ana: str, path: str, content: dict[str, Any], field: str
) -> None:
    to = {"customer_id": ana} if path == "messages" else {"name": "Offer", "filter": {"all": []}}
    answer = stack.api("POST", f"/v1/{path}", {**to, "category": "marketing", **content})

    assert (answer.status, answer.fields) == (422, [field]), answer.text
    assert "##{{first_name}}" in json.dumps(answer.body["errors"])
