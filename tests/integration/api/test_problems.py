"""Each refusal says by its code what a program can do about it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from rebound.customers.application.customer_service import CustomerService, CustomerView
from rebound.kernel.errors import ComeAgainError, ConcurrentChangeError
from rebound.segments.wiring import SegmentsUseCases
from tests.integration.conftest import Answer, Stack

ANA = {"first_name": "Ana", "last_name": "Silva", "external_id": "ana/1", "email": "ana@example.com"}
OFFER = {
    "name": "Offer",
    "category": "marketing",
    "channel": "email",
    "filter": {"all": []},
    "content": {"subject": "Hello", "text": "Hello"},
}
TEXT = {"category": "reminder", "channel": "sms", "content": {"body": "See you"}}


def said(answer: Answer, *members: str) -> tuple[Any, ...]:
    return (answer.status, answer.body["code"], *(answer.body[name] for name in members))


def test_a_taken_external_id_names_its_customer(stack: Stack) -> None:
    first = stack.api("POST", "/v1/customers", ANA).body["customer_id"]
    again = stack.api("POST", "/v1/customers", {**ANA, "first_name": "Anna"})

    assert said(again, "customer_id", "retryable") == (409, "external_id_taken", first, False)
    assert stack.api("GET", f"/v1/customers/{again.body['customer_id']}").body["external_id"] == "ana/1"


def test_a_refusal_is_not_kept_under_its_key(stack: Stack) -> None:
    first = stack.api("POST", "/v1/customers", ANA).body["customer_id"]
    named = {"Idempotency-Key": "k"}

    assert stack.api("POST", "/v1/customers", ANA, headers=named).status == 409
    stack.api("DELETE", f"/v1/customers/{first}")
    assert stack.api("POST", "/v1/customers", ANA, headers=named).status == 201
    other = stack.api("POST", "/v1/customers", {**ANA, "last_name": "Souza"}, headers=named)
    assert said(other, "retryable") == (409, "idempotency_key_reused", False)


def test_a_request_that_is_under_way_may_be_sent_again_in_a_moment(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    named, seen = {"Idempotency-Key": "k"}, []
    create = CustomerService.create

    def meanwhile(service: CustomerService, *given: Any, **how: Any) -> CustomerView:
        seen.append(stack.api("POST", "/v1/customers", ANA, headers=named))
        return create(service, *given, **how)

    monkeypatch.setattr(CustomerService, "create", meanwhile)
    assert stack.api("POST", "/v1/customers", ANA, headers=named).status == 201
    assert [said(answer, "retryable") for answer in seen] == [(409, "idempotency_in_progress", True)]
    assert seen[0].headers["Retry-After"] == "1"


def test_what_is_not_there_says_what_was_looked_for(stack: Stack) -> None:
    for path, resource in {
        "customers/x": "customer",
        "campaigns/x": "campaign",
        "segments/x": "segment",
        "imports/x": "import",
        "exports/x": "export",
        "jobs/x": "job",
    }.items():
        assert said(stack.api("GET", f"/v1/{path}"), "resource") == (404, "not_found", resource)


def test_a_customer_without_the_address_is_named_with_the_channel(stack: Stack) -> None:
    customer_id = stack.api("POST", "/v1/customers", ANA).body["customer_id"]
    customer = f"/v1/customers/{customer_id}"
    statement = {"channel": "sms", "scope": "all", "opted_out": True, "who": "Kim"}

    for answer in (
        stack.api("POST", "/v1/messages", {**TEXT, "customer_id": customer_id}),
        stack.api("POST", f"{customer}/contacts/sms/confirm"),
        stack.api("POST", f"{customer}/consent/sms/confirmation"),
        stack.api("POST", f"{customer}/consent", statement),
    ):
        assert said(answer, "channel") == (409, "no_address", "sms")


def test_a_setting_that_keeps_messages_back_is_named(stack: Stack) -> None:
    stack.api("PATCH", "/v1/business", {"switches": {"email": False}})

    assert said(stack.api("POST", "/v1/campaigns", OFFER), "channel", "barrier") == (
        (409, "channel_off", "email", "switched_off")
    )


def test_a_campaign_that_is_over_says_how_it_ended(stack: Stack) -> None:
    campaign_id = stack.api("POST", "/v1/campaigns", OFFER).body["campaign_id"]
    campaign = f"/v1/campaigns/{campaign_id}"
    assert said(stack.api("POST", f"{campaign}/rollback-flags", {})) == (409, "campaign_not_started")
    stack.api("POST", f"{campaign}/cancel")

    for course in ("pause", "resume"):
        assert said(stack.api("POST", f"{campaign}/{course}"), "campaign_status") == (
            (409, "campaign_ended", "cancelled")
        )


def test_a_question_that_was_asked_today_says_when_it_may_be_asked_again(stack: Stack) -> None:
    customer_id = stack.api("POST", "/v1/customers", ANA).body["customer_id"]
    question = f"/v1/customers/{customer_id}/consent/email/confirmation"
    assert stack.api("POST", question).status == 202
    answer = stack.api("POST", question)
    at = datetime.now(UTC) + timedelta(seconds=int(answer.headers["Retry-After"]))

    assert said(answer, "retryable") == (429, "too_soon", True)
    assert timedelta(0) < at - datetime.now(UTC) <= timedelta(hours=25)


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [(ConcurrentChangeError, "concurrent_change", 409), (ComeAgainError, "unavailable", 503)],
)
def test_what_passes_says_so(stack: Stack, error: Callable[[], Exception], code: str, status: int) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error()

    with patch.object(SegmentsUseCases, "list_customers", fail):
        answer = stack.api("GET", "/v1/customers")

    assert said(answer, "retryable") == (status, code, True)
    assert answer.headers["Retry-After"] == "1"


def test_a_scope_that_is_lacking_is_named(stack: Stack) -> None:
    answer = stack.api("POST", "/v1/customers", ANA, scopes="customers:read")

    assert said(answer, "scope") == (403, "forbidden_scope", "customers:write")
