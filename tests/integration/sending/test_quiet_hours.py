"""Quiet hours and times of sending over the API, and through the functions that hold and release what waits."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from rebound.businesses.domain.quiet_hours import HELD_UNLESS_SAID
from rebound.sending.adapters.queues import encode_held
from rebound.sending.domain.chunk_tasks import DeferredChunkTask
from tests.contract.platform.fakes import FakeClock
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID
from tests.integration.conftest import Stack

ANA: Final = {"first_name": "Ana", "last_name": "Silva", "mobile_phone": "(415) 555-0123"}
NIGHT: Final = {"from": "21:00", "until": "08:00", "categories": sorted(HELD_UNLESS_SAID)}
REMINDER_BY_TEXT: Final = {"channel": "sms", "category": "reminder"}
OFFER: Final = {
    "name": "Autumn offer",
    "category": "marketing",
    "channel": "sms",
    "filter": {"all": []},
    "content": {"body": "Hi ##{{first_name}}"},
}


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> "HeldBodies":
    bodies = HeldBodies()
    house.stand_in(monkeypatch, deferred_queue=bodies)
    return bodies


@pytest.fixture
def clock(stack: Stack, held: "HeldBodies", monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """It is three in the morning where Ana's number is, and so it stays until the test moves the clock."""
    there = datetime.now(ZoneInfo("America/Los_Angeles"))
    # By the calendar, since a day on which clocks change has another length.
    three = (there + timedelta(days=1 if there.hour >= 3 else 0)).replace(hour=3, minute=0, second=0, microsecond=0)
    movable = FakeClock(three.astimezone(UTC))
    house.stand_in(monkeypatch, clock=movable)
    stack.api("PATCH", "/v1/business", {"quiet_hours": {"sms": NIGHT}})
    return movable


def created(stack: Stack, **given: Any) -> str:
    answer = stack.api("POST", "/v1/customers", {**ANA, **given})
    assert answer.status == 201, answer.text
    return str(answer.body["customer_id"])


def message_to(customer_id: str, **given: Any) -> dict[str, Any]:
    content = {"body": "See you at ten."}
    return {"customer_id": customer_id, "category": "reminder", "channel": "sms", "content": content, **given}


def records(stack: Stack, queue: str) -> dict[str, Any]:
    """What a function that reads the queue is invoked with."""
    return {"Records": stack.received(queue)}


class HeldBodies:
    """Implements ``DeferredChunkQueue`` without the waiting: keeps what would be on the queue."""

    def __init__(self) -> None:
        self.bodies: list[str] = []

    def put(self, held: Sequence[DeferredChunkTask], now: datetime) -> None:
        assert all(each.not_before > now for each in held)
        self.bodies.extend(encode_held(each) for each in held)

    def records(self) -> dict[str, Any]:
        """What has come round, once."""
        waiting, self.bodies = self.bodies, []
        system = {"ApproximateReceiveCount": "1", "ApproximateFirstReceiveTimestamp": "0"}
        return {
            "Records": [{"messageId": f"m{n}", "body": body, "attributes": system} for n, body in enumerate(waiting)]
        }


def test_a_new_business_has_the_night_for_texts_and_may_change_either_channel(stack: Stack) -> None:
    hours = stack.api("GET", "/v1/business").body["quiet_hours"]
    assert hours == {"sms": None, "email": None}, "the business of these tests has none"
    email = {"from": "20:30", "until": "07:05", "categories": ["marketing"]}

    assert stack.api("PATCH", "/v1/business", {"quiet_hours": {"email": email}}).body["quiet_hours"] == {
        "sms": None,
        "email": email,
    }
    usual = {"from": "21:00", "until": "08:00"}
    assert stack.api("PATCH", "/v1/business", {"quiet_hours": {"sms": usual}}).body["quiet_hours"] == {
        "sms": NIGHT,
        "email": email,
    }
    assert stack.api("PATCH", "/v1/business", {"quiet_hours": {"email": None}}).body["quiet_hours"]["email"] is None
    assert stack.api("GET", "/v1/business").body["quiet_hours"] == {"sms": NIGHT, "email": None}


@pytest.mark.parametrize(
    "window",
    [
        {"from": "21:00"},
        {"from": "21:00", "until": "21:00"},
        {"from": "24:00", "until": "08:00"},
        {"from": "9:00", "until": "08:00"},
        {"from": "21:00:30", "until": "08:00"},
        {"from": 21, "until": 8},
        {"from": "21:00", "until": "08:00", "categories": []},
        {"from": "21:00", "until": "08:00", "categories": ["spam"]},
        {"from": "21:00", "until": "08:00", "zone": "UTC"},
        "off",
    ],
)
def test_quiet_hours_that_are_none_change_nothing(stack: Stack, window: object) -> None:
    answer = stack.api("PATCH", "/v1/business", {"quiet_hours": {"sms": window}})

    assert answer.status == 422
    assert all(field.startswith("quiet_hours") for field in answer.fields), answer.fields
    assert "hexadecimal" not in answer.text
    assert stack.api("GET", "/v1/business").body["quiet_hours"] == {"sms": None, "email": None}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"local": True}, "local"),
        ({"send_at": "9000-12-01T09:00:00"}, "send_at"),
        ({"send_at": "9000-12-01T09:00:00Z"}, "send_at"),
        ({"send_at": "9000-12-01T09:00:00", "local": True}, "send_at"),
        ({"send_at": "0001-01-01T00:00:00", "local": True}, "send_at"),
        ({"send_at": "9999-12-31T23:59:59", "local": True}, "send_at"),
        ({"send_at": "2026-12-01T09:00:00+01:00", "local": True}, "send_at"),
        ({"send_at": "nine", "local": True}, "send_at"),
        ({"send_at": 1795000000}, "send_at"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2036-01-01T00:00:00"}, "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-14:00"}, "expires_at"),
        ({"local": "yes"}, "local"),
    ],
)
def test_a_time_that_cannot_be_meant_is_refused_and_queues_nothing(
    stack: Stack, given: dict[str, Any], field: str
) -> None:
    customer_id = created(stack)
    answers = [
        stack.api("POST", "/v1/campaigns", {**OFFER, **given}),
        stack.api("POST", "/v1/messages", message_to(customer_id, **given)),
    ]

    assert [(answer.status, answer.fields) for answer in answers] == [(422, [field])] * 2
    assert stack.api("GET", "/v1/campaigns").body["items"] == []
    assert stack.received("HELD_QUEUE_URL") == stack.received("PROMPT_TEXT_QUEUE_URL") == []


def test_a_campaign_by_local_time_is_shown_as_it_was_posted(stack: Stack) -> None:
    tomorrow = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%dT09:00:00}"
    expires_at = f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%dT09:00:00.000Z}"
    posted = stack.api("POST", "/v1/campaigns", {**OFFER, "send_at": tomorrow, "local": True, "expires_at": expires_at})
    found = stack.api("GET", f"/v1/campaigns/{posted.body['campaign_id']}").body

    assert posted.status == 202
    assert (found["status"], found["send_at"], found["local"]) == ("scheduled", tomorrow, True)
    assert found["expires_at"] == expires_at


def test_a_text_of_the_night_is_held_goes_round_and_goes_out_in_the_morning(
    stack: Stack, clock: FakeClock, held: HeldBodies
) -> None:
    customer_id = created(stack)
    posted = stack.api("POST", "/v1/messages", message_to(customer_id)).body
    morning = datetime.fromisoformat(posted["held_until"])
    assert morning.astimezone(ZoneInfo("America/Los_Angeles")).strftime("%H:%M") == "08:00"
    assert posted["status"] == "queued"
    assert stack.received("PROMPT_TEXT_QUEUE_URL") == []

    why = stack.api("GET", f"/v1/customers/{customer_id}/reachability", query=REMINDER_BY_TEXT).body
    assert (why["verdict"]["decision"], why["verdict"]["reason"]) == ("hold", "quiet_hours")
    assert why["verdict"]["held_until"] == posted["held_until"]
    [holds] = [each for each in why["rules"] if each["outcome"] == "holds_here"]
    assert holds["looked_at"]["time_zones"] == ["America/Los_Angeles"]

    assert stack.invoke("release_chunks", held.records()) == {"batchItemFailures": []}
    assert stack.received("PROMPT_TEXT_QUEUE_URL") == [], "it is still night"

    clock.move_to(morning)
    assert stack.invoke("release_chunks", held.records()) == {"batchItemFailures": []}
    assert stack.invoke("send_text", records(stack, "PROMPT_TEXT_QUEUE_URL")) == {"batchItemFailures": []}
    [logged] = stack.api("GET", f"/v1/customers/{customer_id}/messages").body["items"]
    assert stack.texter.addresses == ["+14155550123"]
    assert (logged["status"], logged["held_until"]) == ("sent", None)


def test_a_text_that_would_come_too_late_never_goes_out(stack: Stack, clock: FakeClock, held: HeldBodies) -> None:
    customer_id = created(stack)
    expires_at = (clock.now() + timedelta(hours=4)).isoformat()
    posted = stack.api("POST", "/v1/messages", message_to(customer_id, expires_at=expires_at)).body
    assert (posted["status"], posted["held_until"]) == ("queued", None)

    assert stack.invoke("send_text", records(stack, "PROMPT_TEXT_QUEUE_URL")) == {"batchItemFailures": []}
    [logged] = stack.api("GET", f"/v1/customers/{customer_id}/messages").body["items"]
    assert (logged["status"], logged["reason"]) == ("excluded", "expired")
    assert stack.texter.addresses == []
    assert held.bodies == []


def test_what_cannot_be_read_on_the_held_queue_comes_again_and_stops_nothing_else(
    stack: Stack, clock: FakeClock, held: HeldBodies
) -> None:
    customer_id = created(stack)
    stack.api("POST", "/v1/messages", message_to(customer_id))
    batch = held.records()
    batch["Records"].append({**batch["Records"][0], "messageId": "broken", "body": '{"not_before": "never"}'})
    clock.move(timedelta(hours=6))

    assert stack.invoke("release_chunks", batch) == {"batchItemFailures": [{"itemIdentifier": "broken"}]}
    [task] = stack.received("PROMPT_TEXT_QUEUE_URL")
    assert json.loads(task["body"])["business_id"] == BUSINESS_ID
