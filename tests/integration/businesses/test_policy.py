"""The policy of a business through the API, and the function that lets the lists follow it."""

from typing import Any

import pytest

from rebound.contacts.domain.reachability import Failure
from rebound.customers.application import copy_flags
from rebound.kernel.channels import Channel
from rebound.kernel.provider_codes import Provider
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX, at, contact_key, contacts_of, customer, id_of
from tests.integration.conftest import Context, Stack
from tests.integration.platform.test_functions import failures, records

FULL = "Transient/MailboxFull"
STANDARD = {"preset": "standard", "counts": None}
STRICT = {"preset": "strict", "counts": None}
ONCE = {"preset": "custom", "counts": {"unreachable": 1}}


@pytest.fixture
def flagged(stack: Stack) -> Stack:
    """Five customers: 1 and 2 have a full mailbox, 3 has none, the phone of 4 was out of reach once."""
    five = [customer(n, failed_email=n in {1, 2, 3}) for n in range(1, 6)]
    house.ports().customers.save(five, contacts_of(*five))
    known = [
        (contact_key(1), Provider.SES, FULL),
        (contact_key(2), Provider.SES, FULL),
        (contact_key(3), Provider.SES, NO_SUCH_MAILBOX),
        (contact_key(4, Channel.SMS), Provider.TWILIO, "30003"),
    ]
    for number, (key, provider, code) in enumerate(known):
        contact = house.ports().contacts.get_many([key])[key]
        house.ports().contacts.save(
            contact.with_evidence(Failure(at(number), f"m{number}", provider, code, "the provider says"))
        )
    return stack


def choose(stack: Stack, policy: dict[str, Any]) -> None:
    answer = stack.api("PATCH", "/v1/business", {"policy": policy})
    assert answer.status == 200, answer.text
    assert answer.body["policy"] == policy


def recopy(stack: Stack, context: Context | None = None) -> int:
    """Run the function until its queue is empty; how often it ran."""
    runs = 0
    while bodies := [stored["body"] for stored in stack.received("UPKEEP_QUEUE_URL")]:
        for body in bodies:
            assert failures(stack.invoke("run_upkeep", records(body), context)) == []
            runs += 1
    return runs


def listed(stack: Stack, which: str) -> set[str]:
    page = stack.api("GET", "/v1/customers", query={"failed": which}).body
    return {item["customer_id"] for item in page["items"]}


def test_a_policy_is_shown_changed_and_kept_when_something_else_changes(stack: Stack) -> None:
    assert stack.api("GET", "/v1/business").body["policy"] == STANDARD
    for policy in (STRICT, ONCE, {"preset": "custom", "counts": {"invalid": 20, "unreachable": 1}}):
        choose(stack, policy)
        stack.api("PATCH", "/v1/business", {"name": "New name"})
        assert stack.api("GET", "/v1/business").body["policy"] == policy
    # What was read can be given back.
    choose(stack, {"preset": "custom", "counts": {}})
    choose(stack, STANDARD)


def test_only_naming_a_policy_makes_a_copying_due(stack: Stack) -> None:
    stack.api("PATCH", "/v1/business", {"name": "New name"})
    assert stack.received("UPKEEP_QUEUE_URL") == []
    choose(stack, STANDARD)

    assert [stored["body"] for stored in stack.received("UPKEEP_QUEUE_URL")] == ['{"business_id": "salon-juniper"}']


def test_verdicts_change_at_once_and_lists_after_the_copying(flagged: Stack) -> None:
    stack = flagged
    choose(stack, STRICT)
    one = stack.api("GET", f"/v1/customers/{id_of(1)}").body["contacts"]["email"]
    assert (one["invalid"], one["reason"], one["evidence"]) == (False, None, None)
    assert listed(stack, "email") == {id_of(1), id_of(2), id_of(3)}
    assert recopy(stack) == 1
    assert listed(stack, "email") == {id_of(3)}

    choose(stack, ONCE)
    assert recopy(stack) == 1
    assert (listed(stack, "email"), listed(stack, "phone")) == (set(), {id_of(4)})
    four = stack.api("GET", f"/v1/customers/{id_of(4)}").body["contacts"]["sms"]
    assert four["evidence"] == {
        "class": "unreachable",
        "provider": "twilio",
        "code": "30003",
        "detail": "the provider says",
        "message_id": "m3",
        "at": "2026-11-20T12:00:03.000Z",
    }
    counted = stack.api(
        "POST", "/v1/segments/preview", {"filter": {"failed": "phone"}, "channel": "sms", "category": "marketing"}
    ).body
    assert counted == {"matched": 1, "excluded": {"invalid_contact": 1}, "targeted": 0}

    choose(stack, STANDARD)
    recopy(stack)
    assert (listed(stack, "email"), listed(stack, "phone")) == ({id_of(1), id_of(2), id_of(3)}, set())


def test_a_copying_goes_on_in_small_steps_when_time_is_short(flagged: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy_flags, "PAGE", 2)
    choose(flagged, STRICT)

    assert recopy(flagged, Context(milliseconds=1_000)) == 3
    assert listed(flagged, "email") == {id_of(3)}


def test_a_copying_that_comes_twice_writes_nothing_the_second_time(flagged: Stack) -> None:
    choose(flagged, STRICT)
    [stored] = flagged.received("UPKEEP_QUEUE_URL")
    flagged.invoke("run_upkeep", records(stored["body"]))
    once = flagged.table("CUSTOMERS_TABLE")
    flagged.invoke("run_upkeep", records(stored["body"]))

    assert flagged.table("CUSTOMERS_TABLE") == once


def test_what_cannot_be_read_comes_again_and_another_business_is_left_alone(flagged: Stack) -> None:
    house.ports().customers.save([customer(1, business_id="another", failed_email=True)], [])
    choose(flagged, STRICT)
    body = flagged.received("UPKEEP_QUEUE_URL")[0]["body"]

    assert failures(flagged.invoke("run_upkeep", records("not JSON", "{}", body, '{"business_id": "gone"}'))) == [
        "m0",
        "m1",
    ]
    assert house.ports().customers.get("another", id_of(1)).failed_email
    assert not house.ports().customers.get(BUSINESS_ID, id_of(1)).failed_email


@pytest.mark.parametrize(
    ("policy", "fields"),
    [
        (None, ["policy"]),
        ("strict", ["policy"]),
        ({}, ["policy.preset"]),
        ({"preset": "lenient"}, ["policy.preset"]),
        ({"preset": 1}, ["policy.preset"]),
        ({"preset": "strict", "more": 1}, ["policy.more"]),
        ({"preset": "strict", "counts": {"invalid": 1}}, ["policy.counts"]),
        ({"preset": "standard", "counts": {}}, ["policy.counts"]),
        ({"preset": "custom"}, ["policy.counts"]),
        ({"preset": "custom", "counts": None}, ["policy.counts"]),
        ({"preset": "custom", "counts": [1]}, ["policy.counts"]),
        (
            {"preset": "custom", "counts": {"invalid": 0, "unreachable": 21}},
            ["policy.counts.invalid", "policy.counts.unreachable"],
        ),
        ({"preset": "custom", "counts": {"invalid": "1"}}, ["policy.counts.invalid"]),
        ({"preset": "custom", "counts": {"invalid": 1.5}}, ["policy.counts.invalid"]),
        ({"preset": "custom", "counts": {"invalid": True}}, ["policy.counts.invalid"]),
        ({"preset": "custom", "counts": {"opted_out": 1}}, ["policy.counts.opted_out"]),
    ],
)
def test_a_policy_that_cannot_be_is_refused_by_field_and_changes_nothing(
    stack: Stack, policy: object, fields: list[str]
) -> None:
    answer = stack.api("PATCH", "/v1/business", {"name": "Other", "policy": policy})

    assert (answer.status, answer.fields) == (422, fields), answer.text
    assert stack.api("GET", "/v1/business").body["name"] == "Salon Juniper"
    assert stack.received("UPKEEP_QUEUE_URL") == []
