"""The log of an appointment through the API, over the real tables."""

import pytest

from rebound.kernel.api_scopes import ApiScope
from rebound.messages.domain.appointments import Answered
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, customer, id_of
from tests.integration.conftest import Stack

TEXT = {"category": "reminder", "channel": "sms", "content": {"body": "Please answer C to confirm."}}
PATH = "/v1/appointments/a-1/log"


@pytest.fixture
def ana(stack: Stack) -> str:
    """A customer who can be texted."""
    assert stack.settings
    house.ports().customers.save([customer(1)], [])
    return id_of(1)


def test_an_appointment_shows_what_was_sent_and_what_was_answered(stack: Stack, ana: str) -> None:
    asked = {**TEXT, "customer_id": ana, "appointment_id": "a-1", "asks_confirmation": True}
    posted = stack.api("POST", "/v1/messages", asked).body
    stack.api("POST", "/v1/messages", {**TEXT, "customer_id": ana, "appointment_id": "a-2"})
    house.ports().appointments.record(BUSINESS_ID, "a-1", Answered(house.ports().clock.now(), "SM1", confirmed=True))
    log = stack.api("GET", PATH)
    reply, message = log.body["items"]

    assert log.status == 200
    assert (log.body["appointment_id"], log.body["next_cursor"]) == ("a-1", None)
    assert log.body["confirmed_at"] == reply["at"]
    assert reply == {
        "at": reply["at"], "kind": "reply", "sentence": "Confirmed via text.", "message": None, "reply_id": "SM1",
        "confirmed": True,
    }  # fmt: skip
    assert message["sentence"] == "About to send text confirmation to +14155560001."
    assert message["message"].items() <= posted.items()
    assert message["at"] == posted["queued_at"]
    (first,) = stack.api("GET", PATH, query={"limit": "1"}).body["items"]
    assert first == reply


def test_an_appointment_of_which_nothing_is_known_has_an_empty_log(stack: Stack) -> None:
    log = stack.api("GET", "/v1/appointments/nobody%27s/log")

    assert (log.status, log.body["confirmed_at"], log.body["items"]) == (200, None, [])
    assert stack.api("GET", PATH, query={"cursor": "x"}).status == 422
    assert stack.api("GET", PATH, query={"limit": "0"}).status == 422


@pytest.mark.parametrize(("scope", "status"), [(ApiScope("messages:read"), 200), (ApiScope("customers:read"), 403)])
def test_the_log_asks_for_the_scope_of_messages(stack: Stack, scope: ApiScope, status: int) -> None:
    assert stack.api("GET", PATH, scopes=scope).status == status
