"""Waivers over HTTP on the deployed stack in memory: posted, asked, signed, booked meanwhile."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import pytest

from tests.fakes.deployment import Deployment

PATH: Final = "/v1/waivers/house-rules"
URL: Final = "https://sign.example.com/house-rules"
POSTED: Final = {"version": "2", "note": "We have a sauna now.", "url": URL}


@dataclass(frozen=True)
class Studio:
    """A business whose booking system tells what happens."""

    deployment: Deployment
    business_id: str

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return self.deployment.api(method, path, body, business_id=self.business_id)

    def customer(self, external_id: str) -> str:
        given = {"first_name": "Ana", "last_name": "Silva", "email": f"{external_id}@{self.business_id}.example.com"}
        return str(self.ask("POST", "/v1/customers", {**given, "external_id": external_id})["customer_id"])

    def tells(self, kind: str, external_id: str, event_id: str, **more: Any) -> None:
        now = self.deployment.clock.now()
        event = {"event_id": event_id, "kind": kind, "at": now.isoformat(), "external_id": external_id, **more}
        assert self.ask("POST", "/v1/activity", {"events": [event]})["errors"] == []
        self.deployment.rest()

    def books(self, external_id: str, event_id: str) -> None:
        starts_at = (self.deployment.clock.now() + timedelta(days=3)).isoformat()
        self.tells("booking", external_id, event_id, starts_at=starts_at)

    def messages(self, customer_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("GET", f"/v1/customers/{customer_id}/messages")["items"]
        return found

    def counts(self) -> list[tuple[Any, ...]]:
        names = ("version", "asked", "signed", "open", "unreached")
        return [tuple(each[name] for name in names) for each in self.ask("GET", PATH)["versions"]]


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    with Deployment() as deployment:
        yield deployment


@pytest.fixture
def studio(deployment: Deployment) -> Studio:
    command = {"command": "create-business", "name": "Juniper", "country": "US", "time_zone": "America/New_York"}
    command |= {"email_from": "hello@juniper.example.com"}
    return Studio(deployment, deployment.invoke("OperateStackFunction", command)["business_id"])


def test_who_has_a_coming_booking_is_asked_and_who_signs_is_counted(studio: Studio) -> None:
    ana, ben, cleo = (studio.customer(name) for name in ("ana", "ben", "cleo"))
    studio.books("ana", "b1")
    answer = studio.ask("POST", f"{PATH}/versions", POSTED)
    studio.deployment.rest()
    current = answer["current"]
    assert (answer["waiver_id"], current["version"], current["note"]) == ("house-rules", "2", POSTED["note"])
    assert [len(studio.messages(each)) for each in (ana, ben, cleo)] == [1, 0, 0]
    [message] = studio.messages(ana)
    assert (message["category"], message["status"]) == ("transactional", "delivered")
    assert studio.counts() == [("2", 1, 0, 1, 0)]
    assert studio.ask("GET", "/v1/waivers") == {"items": [answer]}

    studio.books("ben", "b2")
    studio.tells("waiver", "ana", "w1", version="2", waiver_id="house-rules")
    # Who has signed is not asked when they book.
    studio.tells("waiver", "cleo", "w2", version="2")
    studio.books("cleo", "b3")
    assert studio.ask("POST", f"{PATH}/versions", POSTED) == answer
    studio.deployment.rest()
    assert [len(studio.messages(each)) for each in (ana, ben, cleo)] == [1, 1, 0]
    assert studio.counts() == [("2", 2, 1, 1, 0)]

    # A later version is to be signed by everybody.
    studio.ask("POST", f"{PATH}/versions", {**POSTED, "version": "3"})
    studio.deployment.rest()
    assert [len(studio.messages(each)) for each in (ana, cleo)] == [2, 1]
    assert studio.counts() == [("3", 3, 0, 3, 0), ("2", 2, 1, 1, 0)]

    studio.ask("DELETE", f"/v1/customers/{ana}")
    studio.deployment.rest()
    assert studio.counts() == [("3", 2, 0, 2, 0), ("2", 1, 0, 1, 0)]


def test_the_log_and_why_not_have_an_ask_as_the_message_that_it_is(studio: Studio) -> None:
    ana, gone = studio.customer("ana"), studio.customer("gone")
    studio.books("ana", "b1")
    studio.books("gone", "b2")
    stopped = {"channel": "email", "scope": "all", "opted_out": True, "who": "Kim"}
    studio.ask("POST", f"/v1/customers/{gone}/consent", stopped)
    studio.ask("POST", f"{PATH}/versions", POSTED)
    studio.deployment.rest()

    [entry] = studio.ask("GET", f"/v1/customers/{ana}/log")["items"]
    address = f"ana@{studio.business_id}.example.com"
    assert entry["sentence"] == f"Sent transactional email to {address}, and it was delivered."
    assert (entry["kind"], entry["message"]["message_id"]) == ("message", studio.messages(ana)[0]["message_id"])
    why_not = "reachability?channel=email&category=transactional"
    [attempt] = studio.ask("GET", f"/v1/customers/{ana}/{why_not}")["attempts"]
    assert (attempt["message_id"], attempt["status"]) == (entry["message"]["message_id"], "delivered")
    # Who may be written to by no channel has no message, and "why not?" has the reason.
    assert [each["kind"] for each in studio.ask("GET", f"/v1/customers/{gone}/log")["items"]] == ["consent"]
    answer = studio.ask("GET", f"/v1/customers/{gone}/{why_not}")
    assert (answer["verdict"]["reason"], answer["attempts"]) == ("opted_out", [])
    assert studio.counts() == [("2", 1, 0, 1, 1)]
