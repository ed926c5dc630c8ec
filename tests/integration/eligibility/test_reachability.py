"""Why a customer does not get our messages, asked of the deployed function with real adapters."""

from typing import Any

import pytest

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.reachability import Failure
from rebound.eligibility.domain.eligibility import RULES
from rebound.kernel.api_scopes import ALL_SCOPES, ApiScope
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.provider_codes import Provider
from rebound.messages.domain.messages import MessageStatus
from tests.fakes import house
from tests.fakes.making import (
    BUSINESS_ID,
    NO_SUCH_MAILBOX,
    at,
    contact_key,
    contacts_of,
    customer,
    id_of,
    message,
    message_key,
)
from tests.integration.conftest import Answer, Stack

PATH = f"/v1/customers/{id_of(1)}/reachability"
ASKED = {"channel": "email", "category": "marketing"}
WORDS = "smtp; 550 5.1.1 user unknown"
EMAIL_RULES = [exclusion.value for exclusion, _ in RULES]


@pytest.fixture(autouse=True)
def ana(stack: Stack) -> None:
    house.ports().customers.save([customer(1)], contacts_of(customer(1)))


def why(stack: Stack, **query: str) -> dict[str, Any]:
    answer = stack.api("GET", PATH, query=ASKED | query)
    assert answer.status == 200, answer.text
    body: dict[str, Any] = answer.body
    return body


def know(*evidence: Failure | ConsentEvidence, channel: Channel = Channel.EMAIL) -> None:
    key = contact_key(1, channel)
    house.ports().contacts.save(house.ports().contacts.get_many([key])[key].with_evidence(*evidence))


def test_nothing_stands_in_the_way_of_a_healthy_customer(stack: Stack) -> None:
    body = why(stack)

    assert body["verdict"] == {
        "decision": "send", "reason": None, "sentence": "Marketing messages are sent to this customer.",
        "held_until": None,
    }  # fmt: skip
    assert [(rule["rule"], rule["outcome"]) for rule in body["rules"]] == [(rule, "passed") for rule in EMAIL_RULES]
    assert body["validity"] == {
        "invalid": False, "reason": None, "since": None, "next_try_at": None, "evidence": None, "counts": [],
        "cleared": None,
    }  # fmt: skip
    assert (body["customer_id"], body["channel"], body["category"]) == (id_of(1), "email", "marketing")
    assert (body["address"], body["opt_outs"], body["attempts"]) == ("ana1@example.com", [], [])


def test_a_flag_is_told_with_its_evidence_and_the_attempt_that_it_came_from(stack: Stack) -> None:
    know(Failure(at(1), "m1", Provider.SES, NO_SUCH_MAILBOX, WORDS))
    house.ports().messages.record_new(
        [
            message(
                1,
                MessageStatus.BOUNCED,
                key=message_key(1, "m1"),
                provider=Provider.SES,
                provider_code=NO_SUCH_MAILBOX,
                reason="bounce:mailbox_does_not_exist",
                failed_at=at(1),
            )
        ]
    )
    body = why(stack)
    (attempt,) = body["attempts"]

    assert (body["verdict"]["decision"], body["verdict"]["reason"]) == ("exclude", "invalid_contact")
    assert body["validity"]["evidence"] == {
        "failure_class": "invalid", "provider": "ses", "code": NO_SUCH_MAILBOX, "words": WORDS,
        "sentence": "This mailbox does not exist.", "message_id": "m1", "at": "2026-11-20T12:00:01.000Z",
    }  # fmt: skip
    assert body["validity"]["since"] == "2026-11-20T12:00:01.000Z"
    assert (attempt["status"], attempt["sentence"], attempt["words"]) == (
        "bounced",
        "This mailbox does not exist.",
        WORDS,
    )
    log = stack.api("GET", f"/v1/customers/{id_of(1)}/messages").body["items"]
    assert [{name: value for name, value in attempt.items() if name not in ("sentence", "words")}] == log
    (flag,) = (rule for rule in body["rules"] if rule["outcome"] == "stops_here")
    assert flag["rule"] == "invalid_contact"
    assert flag["looked_at"] == {
        "promotional": True, "exclude_failed": True, "added_back_by_hand": False, "invalid": True,
        "reason": "bounce:mailbox_does_not_exist", "since": "2026-11-20T12:00:01.000Z",
        "probe_marketing": False, "next_try_at": None, "try_is_due": False,
    }  # fmt: skip
    assert body["next_step"].startswith("Ask the customer for another email address")
    assert why(stack, category="reminder")["verdict"]["decision"] == "send"


def test_failures_below_the_threshold_are_counted(stack: Stack) -> None:
    know(
        Failure(at(1), "m1", Provider.TWILIO, "30003"),
        Failure(at(2), "m2", Provider.TWILIO, "30003"),
        channel=Channel.SMS,
    )
    body = why(stack, channel="sms")

    assert body["verdict"]["decision"] == "send"
    assert body["validity"]["counts"] == [{"failure_class": "unreachable", "count": 2, "threshold": 5}]


def test_a_stop_names_who_can_undo_it(stack: Stack) -> None:
    know(
        ConsentEvidence(at(1), Scope.ALL, opted_out=True, source=ConsentSource.PROVIDER, message_id="m1"),
        channel=Channel.SMS,
    )
    body = why(stack, channel="sms", category="reminder")

    assert body["verdict"]["reason"] == "opted_out"
    assert body["next_step"] == "Only the customer can undo this: they text START to +14155550100."
    assert body["opt_outs"] == [
        {"scope": "all", "source": "provider", "at": "2026-11-20T12:00:01.000Z", "message_id": "m1", "applies": True}
    ]
    reached = EMAIL_RULES.index("opted_out")
    outcomes = ["passed"] * reached + ["stops_here"] + ["not_reached"] * (len(EMAIL_RULES) - reached - 1)
    assert [rule["outcome"] for rule in body["rules"]] == outcomes
    assert body["rules"][-1]["looked_at"] == {}


@pytest.mark.parametrize("category", list(Category))
@pytest.mark.parametrize("channel", list(Channel))
def test_every_channel_and_category_has_an_answer(stack: Stack, channel: Channel, category: Category) -> None:
    assert why(stack, channel=channel, category=category)["verdict"]["decision"] == "send"


# --- who may, and what may be asked -----------------------------------------------------------------------------------


def test_only_customers_read_is_needed_and_nothing_else_helps(stack: Stack) -> None:
    others = " ".join(scope for scope in ALL_SCOPES if scope is not ApiScope("customers:read"))

    assert stack.api("GET", PATH, query=ASKED, scopes=others).status == 403
    assert stack.api("GET", PATH, query=ASKED, scopes=ApiScope("customers:read")).status == 200


@pytest.mark.parametrize("customer_id", [id_of(2), id_of(3), "x", "ü"])
def test_a_customer_of_nobody_or_of_another_business_does_not_exist(stack: Stack, customer_id: str) -> None:
    house.ports().customers.save([customer(2, business_id="another")], [])
    check_problem(stack.api("GET", f"/v1/customers/{customer_id}/reachability", query=ASKED), 404)


def check_problem(answer: Answer, status: int) -> None:
    assert answer.status == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("query", "field", "allowed"),
    [
        ({"channel": "fax", "category": "marketing"}, "channel", list(Channel)),
        ({"channel": "", "category": "marketing"}, "channel", list(Channel)),
        ({"channel": "email", "category": "spam"}, "category", list(Category)),
        ({"channel": "email", "category": "MARKETING"}, "category", list(Category)),
    ],
    ids=str,
)
def test_what_may_be_asked_is_named_when_something_else_is(
    stack: Stack, query: dict[str, str], field: str, allowed: list[str]
) -> None:
    answer = stack.api("GET", PATH, query=query)

    check_problem(answer, 422)
    assert answer.fields == [field]
    assert all(value in answer.body["errors"][0]["message"] for value in allowed)


def test_channel_and_category_are_required(stack: Stack) -> None:
    answer = stack.api("GET", PATH)

    check_problem(answer, 422)
    assert answer.fields == ["category", "channel"]


def test_asking_changes_nothing_and_logs_nobody(stack: Stack, capfd: pytest.CaptureFixture[str]) -> None:
    know(Failure(at(1), "m1", Provider.SES, NO_SUCH_MAILBOX, WORDS))
    tables = [name for name in stack.settings if name.endswith("_TABLE")]
    before = [stack.table(name) for name in tables]
    why(stack)
    printed = capfd.readouterr()

    assert [stack.table(name) for name in tables] == before
    assert "ana1@example.com" not in printed.out + printed.err
    assert BUSINESS_ID not in printed.err
