"""Half-open recovery through the API and the deployed functions, with the evidence and the try in the real tables."""

from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rebound.contacts.domain.reachability import STANDARD_POLICY, Failure
from rebound.kernel.channels import Channel
from rebound.kernel.provider_codes import Provider
from tests.fakes import house
from tests.fakes.making import contact_key, customer, id_of
from tests.integration.conftest import Stack
from tests.integration.platform.test_functions import failures, records

FULL = "Transient/MailboxFull"
OFF = {"spaced": False, "probe_marketing": False}
REMINDER = {"category": "reminder", "channel": "email", "content": {"subject": "Tomorrow", "text": "See you"}}


def full_for(stack: Stack, days: float) -> str:
    """A customer whose mailbox was full so long ago; their id."""
    assert stack.settings
    house.ports().customers.save([customer(1)], [])
    contact = house.ports().contacts.get_many([contact_key(1)])[contact_key(1)]
    failed = Failure(datetime.now(UTC) - timedelta(days=days), "m1", Provider.SES, FULL)
    house.ports().contacts.save(replace(contact.with_evidence(failed), customer_ids=frozenset({id_of(1)})))
    return id_of(1)


def choose(stack: Stack, **recovery: bool) -> dict[str, Any]:
    answer = stack.api("PATCH", "/v1/business", {"recovery": recovery})
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.body["recovery"]
    return found


def remind(stack: Stack, customer_id: str) -> dict[str, Any]:
    """A reminder to one person, as far as the provider; its row of the client log."""
    assert stack.api("POST", "/v1/messages", {**REMINDER, "customer_id": customer_id}).status == 202
    for stored in stack.received("PROMPT_EMAIL_QUEUE_URL"):
        assert failures(stack.invoke("send_email", records(stored["body"]))) == []
    row: dict[str, Any] = stack.api("GET", f"/v1/customers/{customer_id}/messages").body["items"][0]
    return row


def next_try(stack: Stack, customer_id: str) -> str | None:
    at: str | None = stack.api("GET", f"/v1/customers/{customer_id}").body["contacts"]["email"]["next_try_at"]
    return at


def test_the_options_are_off_at_first_and_one_that_is_left_out_keeps_its_value(stack: Stack) -> None:
    assert stack.api("GET", "/v1/business").body["recovery"] == OFF
    assert choose(stack, spaced=True) == {**OFF, "spaced": True}
    assert choose(stack, probe_marketing=True) == {"spaced": True, "probe_marketing": True}
    assert choose(stack) == {"spaced": True, "probe_marketing": True}
    stack.api("PATCH", "/v1/business", {"name": "New name"})
    assert choose(stack, spaced=False) == {**OFF, "probe_marketing": True}


@pytest.mark.parametrize(
    ("recovery", "fields"),
    [
        (None, ["recovery"]),
        (True, ["recovery"]),
        ({"spaced": "yes"}, ["recovery.spaced"]),
        ({"spaced": None, "probe_marketing": 1}, ["recovery.probe_marketing", "recovery.spaced"]),
        ({"often": True}, ["recovery.often"]),
    ],
)
def test_options_that_cannot_be_are_refused_by_field_and_change_nothing(
    stack: Stack, recovery: object, fields: list[str]
) -> None:
    answer = stack.api("PATCH", "/v1/business", {"name": "Other", "recovery": recovery})

    assert (answer.status, answer.fields) == (422, fields), answer.text
    after = stack.api("GET", "/v1/business").body
    assert (after["name"], after["recovery"]) == ("Salon Juniper", OFF)


def test_a_spaced_reminder_waits_until_its_date_which_is_shown(stack: Stack) -> None:
    ana = full_for(stack, days=0.5)
    assert next_try(stack, ana) is None
    choose(stack, spaced=True)
    due = next_try(stack, ana)
    row = remind(stack, ana)
    why = stack.api("GET", f"/v1/customers/{ana}/reachability", query={"channel": "email", "category": "reminder"}).body

    assert (row["status"], row["reason"]) == ("excluded", "waiting_for_retry")
    assert stack.mailer.handed == []
    assert due is not None
    assert why["verdict"]["reason"] == "waiting_for_retry"
    (rule,) = (rule for rule in why["rules"] if rule["rule"] == "waiting_for_retry")
    assert why["validity"]["next_try_at"] == due == rule["looked_at"]["next_try_at"]


def test_the_try_that_is_due_is_made_once_and_written_down_with_the_contact(stack: Stack) -> None:
    ana = full_for(stack, days=1.5)
    choose(stack, spaced=True)
    first, second = remind(stack, ana), remind(stack, ana)
    contact = house.ports().contacts.get_many([contact_key(1)])[contact_key(1)]

    assert (first["status"], second["status"], second["reason"]) == ("sent", "excluded", "waiting_for_retry")
    assert len(stack.mailer.handed) == 1
    assert contact.reachability.tried is not None
    assert contact.reachability.tried.message_id == first["message_id"]
    assert contact.next_try_at(STANDARD_POLICY) == contact.reachability.tried.at + timedelta(days=2)


def test_a_preview_counts_who_waits_and_adds_back_who_is_added_back(stack: Stack) -> None:
    ana = full_for(stack, days=0.5)
    choose(stack, spaced=True, probe_marketing=True)
    asked = {"filter": {"all": []}, "channel": str(Channel.EMAIL), "category": "reminder"}
    alone = stack.api("POST", "/v1/segments/preview", asked)
    added = stack.api("POST", "/v1/segments/preview", {**asked, "include_customer_ids": [ana]})
    wrong = stack.api("POST", "/v1/segments/preview", {**asked, "include_customer_ids": ["ana"]})

    assert alone.body == {"matched": 1, "excluded": {"waiting_for_retry": 1}, "targeted": 0}
    assert added.body == {"matched": 1, "excluded": {}, "targeted": 1}
    assert (wrong.status, wrong.fields) == (422, ["include_customer_ids[0]"])
