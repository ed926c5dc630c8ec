"""The public function behind the links in emails, over the real adapters."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.messages.domain.links import Purpose
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, contact_key, contacts_of, customer, message, message_key
from tests.integration.conftest import Stack, recorded


def sent_link(purpose: Purpose = Purpose.UNSUBSCRIBE) -> str:
    """The path of a link in a message to customer 1."""
    house.ports().customers.save([customer(1)], contacts_of(customer(1)))
    house.ports().messages.record_new([message(1)])
    urls = house.use_cases().link_writer.urls(contact_key(1), message_key(1), {purpose: Scope.LOYALTY})
    return urls[purpose].partition("/live")[2]


def ask(stack: Stack, path: str, **changes: Any) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = stack.invoke(
        "serve_preferences", {**recorded("api_gateway/one_click.json"), "path": path, **changes}
    )
    return answer


def test_one_click_as_recorded_unsubscribes_and_is_kept_with_its_message(stack: Stack) -> None:
    answer = ask(stack, sent_link())
    out = house.ports().contacts.get_many([contact_key(1)])[contact_key(1)].consent.of(Scope.LOYALTY).opt_out

    assert (answer["statusCode"], "You are unsubscribed" in answer["body"]) == (200, True)
    assert out is not None
    assert (out.source, out.message_id) == (ConsentSource.ONE_CLICK, message_key(1).message_id)


def test_again_is_not_written_again(stack: Stack) -> None:
    path = sent_link()
    ask(stack, path)
    kept = stack.table("CONTACTS_TABLE")

    assert ask(stack, path)["statusCode"] == 200
    assert stack.table("CONTACTS_TABLE") == kept


def test_a_deleted_customer_can_still_unsubscribe_and_is_when_they_come_back(stack: Stack) -> None:
    path = sent_link()
    house.use_cases().customer_service.delete(BUSINESS_ID, customer(1).customer_id)
    assert ask(stack, path)["statusCode"] == 200
    profile = {"first_name": "Ana", "last_name": "Silva", "email": customer(1).email}
    house.use_cases().customer_service.create(BUSINESS_ID, profile)

    assert house.ports().contacts.get_many([contact_key(1)])[contact_key(1)].consent.opted_out == (Scope.LOYALTY,)


@pytest.mark.parametrize(
    "query",
    [
        {"utm_source": ["letter"]},
        {"utm_source": ["letter", "list"], "": [""]},
        {"token": ["of-somebody-else"], "choice": ["marketing"], "confirm": ["yes"]},
        {"List-Unsubscribe": ["One-Click"]},
    ],
    ids=repr,
)
def test_what_others_add_to_a_link_is_ignored(stack: Stack, query: dict[str, list[str]]) -> None:
    """Mail programs and statistics put utm_source and the like behind every link that they see."""
    path = sent_link()
    added = {
        "queryStringParameters": {name: values[-1] for name, values in query.items()},
        "multiValueQueryStringParameters": query,
    }
    for method in ("GET", "HEAD", "POST"):
        more, plain = ask(stack, path, httpMethod=method, **added), ask(stack, path, httpMethod=method)

        assert (more["statusCode"], more["body"]) == (200, plain["body"])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("purpose", [Purpose.UNSUBSCRIBE, Purpose.PREFERENCES])
def test_who_only_looks_writes_nothing(stack: Stack, method: str, purpose: Purpose) -> None:
    path = sent_link(purpose)
    before = {name: stack.table(name) for name in stack.settings if name.endswith("_TABLE")}

    assert ask(stack, path, httpMethod=method)["statusCode"] == 200
    assert {name: stack.table(name) for name in before} == before


def test_a_token_that_opens_nothing_writes_and_logs_nothing(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    before = {name: stack.table(name) for name in stack.settings if name.endswith("_TABLE")}
    event = recorded("api_gateway/one_click.json")

    assert stack.invoke("serve_preferences", event)["statusCode"] == 404
    assert {name: stack.table(name) for name in before} == before
    assert event["pathParameters"]["token"] not in json.dumps(capsys.readouterr())


def test_the_form_with_ones_own_details_is_shown_and_taken_once(stack: Stack) -> None:
    path = sent_link(Purpose.PROFILE)
    known = {**recorded("api_gateway/one_click.json")["headers"], "Content-Type": "application/x-www-form-urlencoded"}
    shown = ask(stack, path, httpMethod="GET")
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', shown["body"]))
    given = {**fields, "last_name": "Lund", "email": "own@example.com"}

    for _ in range(2):
        answer = ask(stack, path, headers=known, body=urlencode(given))
        assert answer["statusCode"] == 200
    stored = house.ports().customers.get(BUSINESS_ID, customer(1).customer_id)
    assert (stored.last_name, stored.email, stored.claimed_at is not None) == ("Lund", "own@example.com", True)
    assert "form has been filled in" in answer["body"]
    [event] = house.ports().profile_history.before(BUSINESS_ID, customer(1).customer_id, None, 10)
    assert (event.fields, event.via) == (("last_name", "email"), "form")


def test_a_form_that_is_larger_than_any_of_ours_is_refused(stack: Stack) -> None:
    path = sent_link(Purpose.PROFILE)

    assert ask(stack, path, body="first_name=" + "a" * 30_000)["statusCode"] == 413
