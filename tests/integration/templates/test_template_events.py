"""The events that templates are about, over HTTP."""

from typing import Any

import pytest

from rebound.kernel.languages import LANGUAGES
from rebound.templates.domain.template_events import template_events
from tests.integration.conftest import Stack

REFUND: Any = {"card": {"en": "Back on your card.", "it": "Sulla sua carta."}}


def template(**texts: Any) -> dict[str, Any]:
    variables = {"refund": {"texts": texts, "example": "card"}}
    return {"name": "Cancelled", "channel": "sms", "variables": variables, "content": {"body": "##{{refund}}"}}


def test_the_events_are_listed_with_their_variables_and_the_ids_of_their_defaults(stack: Stack) -> None:
    answer = stack.api("GET", "/v1/template-events")

    assert answer.status == 200
    assert [each["event"] for each in answer.body["items"]] == list(template_events())
    assert answer.body["next_cursor"] is None
    waiver = next(each for each in answer.body["items"] if each["event"] == "waiver_to_sign")
    assert waiver["must_use"] == ["url"]
    assert waiver["default_templates"] == {"email": "waiver_to_sign.email", "sms": "waiver_to_sign.sms"}
    assert (waiver["variables"]["url"]["type"], waiver["variables"]["url"]["required"]) == ("url", True)
    cancelled = next(each for each in answer.body["items"] if each["event"] == "class_cancelled")
    assert set(cancelled["variables"]["refundNotice"]["texts"]["card"]) == set(LANGUAGES)
    assert all(each["description"] for event in answer.body["items"] for each in event["variables"].values())


def test_a_key_that_may_not_read_messages_is_refused(stack: Stack) -> None:
    assert stack.api("GET", "/v1/template-events", scopes="customers:read").status == 403


def test_a_variable_of_a_template_may_have_texts_by_case(stack: Stack) -> None:
    saved = stack.api("PUT", "/v1/templates/t1", template(**REFUND))

    assert saved.status == 200, saved.text
    assert stack.api("GET", "/v1/templates/t1").body["variables"]["refund"]["texts"] == REFUND


@pytest.mark.parametrize(
    ("texts", "field"),
    [
        ({"Card": {"en": "x"}}, "variables.refund.texts.Card"),
        ({"card": {"nl": "x"}}, "variables.refund.texts.card.nl"),
        ({"card": {}}, "variables.refund.texts.card"),
    ],
)
def test_texts_that_cannot_be_sent_are_refused_with_their_place(stack: Stack, texts: Any, field: str) -> None:
    refused = stack.api("PUT", "/v1/templates/t1", template(**{"card": {"en": "x"}, **texts}))

    assert refused.status == 422
    assert [error["field"] for error in refused.body["errors"]] == [field]
    assert stack.api("GET", "/v1/templates/t1").status == 404
