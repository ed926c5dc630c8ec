"""Asking customers whether their details are right, over HTTP."""

from typing import Final

import pytest

from tests.integration.conftest import Stack

ANA: Final = {"first_name": "Ana", "last_name": "Silva", "email": "ana@example.com", "mobile_phone": "+14155550123"}


def made(stack: Stack, **fields: str | None) -> str:
    given = {**ANA, "external_id": "crm-1", **fields}
    customer_id: str = stack.api("POST", "/v1/customers", given).body["customer_id"]
    return f"/v1/customers/{customer_id}/update-requests"


@pytest.mark.parametrize(("asked", "used"), [("email", "email"), ("sms", "sms"), (None, "email")])
def test_the_message_goes_by_the_channel_that_is_asked_for(stack: Stack, asked: str | None, used: str) -> None:
    answer = stack.api("POST", made(stack), {} if asked is None else {"channel": asked})

    assert (answer.status, answer.body["channel"], answer.body["external_id"]) == (202, used, "crm-1")
    message = stack.api("GET", f"/v1/messages/{answer.body['message_id']}").body
    assert (message["template_id"], message["category"]) == (f"update_form.{used}", "transactional")
    assert message["variables"] == {"url": "https://signed.invalid/profile"}


def test_the_other_channel_is_used_where_there_is_no_address(stack: Stack) -> None:
    answer = stack.api("POST", made(stack, email=None), {"channel": "email"})

    assert (answer.status, answer.body["channel"]) == (202, "sms")


def test_it_is_said_where_no_channel_is_left(stack: Stack) -> None:
    answer = stack.api("POST", made(stack, email=None, mobile_phone=None), {"channel": "email"})

    assert (answer.status, answer.body["code"]) == (409, "no_channel_left")
    assert answer.body["reasons"] == ["email: no_address", "sms: no_address"]


def test_an_address_is_asked_once_a_day_and_the_other_channel_may_be_asked(stack: Stack) -> None:
    path = made(stack)
    answers = [stack.api("POST", path, {"channel": each}) for each in ("email", "email", "sms", "sms")]

    assert [each.status for each in answers] == [202, 429, 202, 429]
    assert (answers[1].body["code"], answers[1].body["retryable"]) == ("too_soon", True)
    assert int(answers[1].headers["Retry-After"]) > 0


def test_with_its_name_a_request_sends_once(stack: Stack) -> None:
    path = made(stack)
    first, second = (
        stack.api("POST", path, {"channel": "email"}, headers={"Idempotency-Key": "k"}).body for _ in range(2)
    )

    assert first == second


@pytest.mark.parametrize("body", [{"channel": "fax"}, {"chanel": "sms"}])
def test_what_cannot_be_meant_is_refused(stack: Stack, body: dict[str, str]) -> None:
    answer = stack.api("POST", made(stack), body)

    assert answer.status == 422
