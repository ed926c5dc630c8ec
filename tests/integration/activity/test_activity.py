"""Activity by HTTP on the deployed stack in memory: posted, applied, read, corrected, taken back, erased."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from tests.fakes.aws import rows
from tests.fakes.deployment import Deployment

DAY: Final = timedelta(days=1)
KINDS: Final[dict[str, dict[str, Any]]] = {
    "booking": {"appointment_id": "a1", "class_id": "yoga", "location_id": "l1"},
    "visit": {"class_id": "yoga", "class_type": "class", "location_id": "soho", "amount": "18.00", "currency": "USD"},
    "no_show": {"appointment_id": "a0"},
    "cancellation": {"appointment_id": "a9"},
    "check_in": {"appointment_id": "a2"},
    "purchase": {"order_id": "o1", "amount": "40.50", "currency": "USD", "product_id": "oil"},
    "refund": {"order_id": "o1", "amount": "0.50", "currency": "USD", "product_id": "oil"},
    "membership": {"membership_id": "gold", "status": "active", "until": "2027-01-31"},
    "package": {"package_id": "ten", "credits_left": 3},
    "review": {"rating": 5},
    "waiver": {"version": "2"},
    "appointment_change": {"appointment_id": "a1", "text": "Moved for Ottilie Brandt", "who": "Ottilie Brandt"},
}


@dataclass(frozen=True)
class Salon:
    """A business with one customer."""

    deployment: Deployment
    business_id: str
    customer_id: str

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer to a request."""
        return self.deployment.api(method, path, body, business_id=self.business_id)

    def say(self, *events: dict[str, Any]) -> Any:
        """Post events, and let them be applied."""
        answer = self.ask("POST", "/v1/activity", {"events": events})
        self.deployment.rest()
        return answer

    def at(self, days: float = 0) -> str:
        """A time as clients write it."""
        moment: datetime = self.deployment.clock.now() + days * DAY
        return moment.isoformat()

    def event(self, kind: str, event_id: str = "", **more: Any) -> dict[str, Any]:
        """An event of the customer."""
        base = {"event_id": event_id or kind, "kind": kind, "at": self.at(-1), "customer_id": self.customer_id}
        return {**base, **KINDS[kind], **more}

    def summary(self) -> Any:
        """What is known of the customer in numbers."""
        return self.ask("GET", f"/v1/customers/{self.customer_id}/summary")

    def listed(self, customer_id: str = "") -> list[str]:
        """The events of a customer."""
        found = self.ask("GET", f"/v1/customers/{customer_id or self.customer_id}/activity")["items"]
        return [event["event_id"] for event in found]


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    with Deployment() as deployment:
        yield deployment


@pytest.fixture
def salon(deployment: Deployment) -> Salon:
    command = {"command": "create-business", "name": "Juniper", "country": "US", "time_zone": "America/New_York"}
    business_id = deployment.invoke("OperateStackFunction", command)["business_id"]
    person = {"first_name": "Ana", "last_name": "Silva", "customer_since": "2024-02-29"}
    customer_id = deployment.api("POST", "/v1/customers", person, business_id=business_id)["customer_id"]
    return Salon(deployment, business_id, customer_id)


def test_every_kind_of_event_is_taken_and_summed_up(salon: Salon) -> None:
    events = [salon.event(kind) for kind in KINDS]
    events[0]["starts_at"] = booked = salon.at(2)
    answer = salon.say(*events)
    last_visit = datetime.fromisoformat(events[1]["at"]) - timedelta(hours=5)

    assert answer == {"accepted": len(KINDS), "known": 0, "errors": []}
    found = salon.summary()
    assert datetime.fromisoformat(found.pop("next_booking")) - datetime.fromisoformat(booked) < timedelta(seconds=1)
    assert found.pop("ranked_at") == salon.ask("GET", f"/v1/customers/{salon.customer_id}/summary")["ranked_at"]
    assert found.pop("first_visit") == found["last_visit"]
    assert abs(datetime.fromisoformat(found.pop("last_visit")).date() - last_visit.date()) <= DAY
    assert found == {
        "sales": [{"amount": "58.00", "currency": "USD"}],
        "points_balance": 0,
        "appointments": 0,
        "classes": 1,
        "cancellations": 1,
        "no_shows": 1,
        "check_ins": 1,
        "customer_since": "2024-02-29",
        "memberships": [{"membership_id": "gold", "status": "active", "until": "2027-01-31"}],
        "packages": [{"package_id": "ten", "credits_left": 3}],
        "rating": 5,
        "waiver_version": "2",
        "tier": "new",
        "next_booking_location_id": "l1",
        "last_location_id": "soho",
    }
    assert sorted(salon.listed()) == sorted(KINDS)
    assert salon.say(*events) == {"accepted": 0, "known": len(KINDS), "errors": []}


def test_an_event_is_corrected_and_taken_back(salon: Salon) -> None:
    salon.say(salon.event("visit"), salon.event("purchase"))
    salon.say(salon.event("visit", amount="20.00"))
    corrected = salon.summary()["sales"]
    answer = salon.ask("DELETE", "/v1/activity/visit")
    salon.deployment.rest()

    assert corrected == [{"amount": "60.50", "currency": "USD"}]
    assert answer == {"accepted": 1, "known": 0, "errors": []}
    assert (salon.summary()["sales"], salon.listed()) == ([{"amount": "40.50", "currency": "USD"}], ["purchase"])


def test_sales_have_the_decimals_of_their_currency_also_below_zero(salon: Salon) -> None:
    salon.say(
        salon.event("purchase", amount="0.1", currency="EUR"),
        salon.event("refund", amount="10", currency="EUR"),
        salon.event("visit", amount="5.00", currency="JPY"),
    )
    assert salon.summary()["sales"] == [
        {"amount": "-9.90", "currency": "EUR"},
        {"amount": "5", "currency": "JPY"},
    ]


def test_what_is_wrong_is_named_by_event_and_field_and_the_others_are_taken(salon: Salon) -> None:
    nobody = salon.event("visit", "x", customer_id="0" * 32)
    wrong = salon.event("visit", "y", amount="-1", classid="yoga", starts_at="2026-11-29T10:00:00")
    answer = salon.say(nobody, salon.event("visit"), wrong, {"kind": "nap"}, 7)  # type: ignore[arg-type]
    by_place = [(error["index"], error["field"], error["did_you_mean"]) for error in answer["errors"]]

    assert (answer["accepted"], answer["known"]) == (1, 0)
    assert sorted(by_place) == [
        (0, "customer_id", None),
        (2, "amount", None),
        (2, "classid", "class_id"),
        (2, "starts_at", None),
        (3, "at", None),
        (3, "customer_id", None),
        (3, "event_id", None),
        (3, "kind", None),
        (4, "events[4]", None),
    ]
    assert salon.listed() == ["visit"]


def test_who_comes_later_finds_what_was_said_of_them_before(salon: Salon) -> None:
    event = salon.event("visit", external_id="crm-7")
    del event["customer_id"]
    salon.say(event)
    person = {"first_name": "Bo", "last_name": "Ek", "external_id": "crm-7"}
    customer_id = salon.ask("POST", "/v1/customers", person)["customer_id"]

    assert salon.listed(customer_id) == ["visit"]


def test_nothing_is_left_of_a_deleted_customers_activity_and_nothing_of_it_was_on_a_queue_or_in_a_log(
    salon: Salon,
) -> None:
    events = [salon.event(kind) for kind in KINDS if kind != "booking"]
    salon.say(*events)
    salon.ask("POST", "/v1/activity", {"events": [salon.event("visit", "late")]})
    salon.ask("DELETE", f"/v1/customers/{salon.customer_id}")
    salon.deployment.rest()
    left = [row for row in rows()["ActivityTable"] if salon.customer_id in json.dumps(row, default=str)]

    assert [row for row in left if "event" in row or "packed" in row] == []
    assert [row for row in rows()["ActivityTable"] if "#batch#" in row["owner"]["S"]] == []
    assert not [line for _, line in salon.deployment.logs if "Ottilie" in line]
    assert not [text for text in salon.deployment.history if "Ottilie" in text]
    assert not any(salon.deployment.queued(dead=True).values())
