"""What software tells under names of its own: every sequence hears it, once."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from rebound.kernel.times import write_time
from tests.fakes import house
from tests.fakes.making import business
from tests.integration.conftest import Answer, Stack
from tests.integration.sequences.test_sequences import SEND, goes_on, sends

LATE: Final = {"kind": "custom", "name": "order late"}
PAID: Final = {"kind": "custom", "name": "order paid"}


@pytest.fixture
def ana(stack: Stack) -> str:
    given = {"first_name": "Ana", "last_name": "Silva", "email": "ana@example.com", "external_id": "ana-1"}
    return str(stack.api("POST", "/v1/customers", given).body["customer_id"])


def put(stack: Stack, sequence_id: str, **given: Any) -> None:
    answer = stack.api("PUT", f"/v1/sequences/{sequence_id}", {"name": "N", "status": "on", "steps": [SEND], **given})
    assert answer.status == 200, answer.body


def tells(stack: Stack, name: str = "order late", event_id: str = "order-1", **given: Any) -> Answer:
    """It is told and all is done that is due; Ana's by her own id unless another is given."""
    whose = {} if "customer_id" in given else {"external_id": "ana-1"}
    asked = {"name": name, "event_id": event_id, "at": write_time(datetime.now(UTC)), **whose, **given}
    answer = stack.api("POST", "/v1/custom-events", asked)
    goes_on(stack)
    return answer


def stands(stack: Stack, sequence_id: str) -> list[tuple[str, str | None]]:
    """How everybody stands who is in a sequence, or was, and why they left."""
    items = stack.api("GET", f"/v1/sequences/{sequence_id}/enrolments").body["items"]
    return [(each["standing"], each["left_because"]) for each in items]


def test_every_sequence_that_has_the_name_hears_it_once(stack: Stack, ana: str) -> None:
    wait = {"wait": {"days": 9}}
    put(stack, "starts", trigger=LATE, reentry="after_exit")
    put(stack, "starts-too", trigger=LATE, steps=[wait])
    put(stack, "ends", trigger=PAID, steps=[wait], exit_on=[{**LATE, "goal": True}])
    put(stack, "waits", trigger=PAID, steps=[{"wait": {"days": 9, "for_event": LATE}}, SEND])
    put(stack, "other", trigger={"kind": "custom", "name": "Order late"})
    assert tells(stack, "order paid").body == {"sequences": 2}
    assert sends(stack) == []
    first = tells(stack)
    assert (first.status, first.body) == (202, {"sequences": 4})

    assert sends(stack) == ["Hello Ana", "Hello Ana"]
    again = tells(stack, customer_id=ana)
    assert (again.status, again.body) == (202, {"sequences": 4})
    assert sends(stack) == ["Hello Ana", "Hello Ana"]
    assert stands(stack, "starts-too") == [("waiting", None)]
    assert stands(stack, "ends") == [("left", "goal")]
    assert stands(stack, "waits") == [("left", "ended")]
    assert stands(stack, "other") == []


def test_another_id_is_another_event_and_another_name_with_the_same_id_as_well(stack: Stack, ana: str) -> None:
    put(stack, "starts", trigger=LATE, reentry="after_exit")
    put(stack, "waits", trigger=LATE, steps=[{"wait": {"days": 9, "for_event": PAID}}, {"exit": {}}])
    for event_id in ("order-1", "order-2", "order-2"):
        tells(stack, event_id=event_id)
    assert sends(stack) == ["Hello Ana", "Hello Ana"]
    assert stands(stack, "waits") == [("waiting", None)]
    tells(stack, "order paid", "order-1")

    assert stands(stack, "waits") == [("left", "ended")]


def test_what_nobody_has_a_name_for_is_said_to_be_so_and_puts_nothing_on_its_way(stack: Stack, ana: str) -> None:
    put(stack, "starts", trigger=LATE)
    at = write_time(datetime.now(UTC))
    asked = {"name": "order lte", "event_id": "1", "at": at, "customer_id": ana}

    assert stack.api("POST", "/v1/custom-events", asked).body == {"sequences": 0}
    assert stack.received("STEPS_QUEUE_URL") == []


def test_what_is_off_begins_for_nobody_and_ends_for_who_is_inside(stack: Stack, ana: str) -> None:
    put(stack, "starts", trigger=LATE, steps=[{"wait": {"days": 9}}], exit_on=[PAID])
    tells(stack)
    stack.api("PATCH", "/v1/sequences/starts", {"status": "off"})
    put(stack, "off", trigger=PAID, status="off")
    assert tells(stack, "order paid").body == {"sequences": 0}

    assert stands(stack, "starts") == [("left", "exit")]
    assert stands(stack, "off") == []


NOW: Final = timedelta()


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"name": ""}, ["name"]),
        ({"name": "n" * 129}, ["name"]),
        ({"name": None}, ["name"]),
        ({"event_id": "a#b"}, ["event_id"]),
        ({"event_id": "a\n"}, ["event_id"]),
        ({"event_id": "e" * 129}, ["event_id"]),
        ({"at": "yesterday"}, ["at"]),
        ({"at": "2026-11-22T10:00:00"}, ["at"]),
        ({"at": timedelta(days=-2, minutes=-1)}, ["at"]),
        ({"at": timedelta(days=1, minutes=1)}, ["at"]),
        ({"external_id": "nobody"}, ["external_id"]),
        ({"external_id": None, "customer_id": "0" * 32}, ["customer_id"]),
        ({"customer_id": "0" * 32}, ["customer_id"]),
        ({"external_id": None}, ["customer_id"]),
        ({"about": {"price": 3}}, ["about"]),
    ],
)
def test_what_is_wrong_is_named_and_nobody_hears_it(
    stack: Stack, ana: str, given: dict[str, Any], fields: list[str]
) -> None:
    put(stack, "starts", trigger=LATE)
    if isinstance(ahead := given.get("at", NOW), timedelta):
        given = {**given, "at": write_time(datetime.now(UTC) + ahead)}
    asked = {"name": "order late", "event_id": "order-1", "external_id": "ana-1", **given}
    answer = stack.api("POST", "/v1/custom-events", {name: each for name, each in asked.items() if each is not None})

    assert (answer.status, answer.fields) == (422, fields), answer.text
    assert stack.received("STEPS_QUEUE_URL") == []
    assert tells(stack).status == 202
    assert sends(stack) == ["Hello Ana"]


@pytest.mark.parametrize("ahead", [timedelta(days=-2, minutes=1), timedelta(days=1, minutes=-1)])
def test_clocks_that_are_fast_and_what_was_told_late_are_heard(stack: Stack, ana: str, ahead: timedelta) -> None:
    put(stack, "starts", trigger=LATE)
    assert tells(stack, at=write_time(datetime.now(UTC) + ahead)).status == 202

    assert sends(stack) == ["Hello Ana"]


def test_another_businesss_sequences_hear_nothing(stack: Stack, ana: str) -> None:
    put(stack, "starts", trigger=LATE)
    house.ports().businesses.add(business(business_id="another"))
    asked = {"name": "order late", "event_id": "1", "at": write_time(datetime.now(UTC)), "customer_id": ana}
    answer = stack.api("POST", "/v1/custom-events", asked, business_id="another")
    assert (answer.status, answer.fields) == (422, ["customer_id"])
    given = {"first_name": "Bea", "last_name": "Roth", "external_id": "bea-1"}
    stack.api("POST", "/v1/customers", given, business_id="another")
    of_bea = {**{name: each for name, each in asked.items() if name != "customer_id"}, "external_id": "bea-1"}
    answer = stack.api("POST", "/v1/custom-events", of_bea, business_id="another")

    assert (answer.status, answer.body) == (202, {"sequences": 0})
    assert stack.received("STEPS_QUEUE_URL") == []
