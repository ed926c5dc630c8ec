"""A booking system that lets Rebound talk to its customers: copy it, and put your own diary in its place.

An appointment is told to Rebound when it is booked, moved, cancelled or missed; Rebound sends what is due, when it is
due. It needs the standard library alone. The guide's page booking-system.md goes through it step by step.
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen
from zoneinfo import ZoneInfo


class RefusedError(Exception):
    """Rebound has not done what it was asked; ``problem`` says why, and ``code`` in it is for programs."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{problem['code']}: {problem['detail']} {problem.get('errors', '')}")
        self.problem = problem


@dataclass(frozen=True)
class Rebound:
    """The API with the key of one business; ``url`` is what stands before ``/v1``."""

    url: str
    key: str

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None, once: str | None = None) -> Any:
        """The answer to a request, sent again while that may help. ``once`` names what a POST must not do twice."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        headers |= {} if once is None else {"Idempotency-Key": once}
        content = None if body is None else json.dumps(body).encode()
        for wait_seconds in (1, 2, 4, 8, None):
            try:
                with urlopen(Request(f"{self.url}/v1{path}", content, headers, method=method), timeout=30) as answer:
                    return json.load(answer)
            except HTTPError as error:
                problem = json.load(error)
                if not problem["retryable"] or wait_seconds is None:
                    raise RefusedError(problem) from None
                time.sleep(float(error.headers.get("Retry-After") or wait_seconds))
            except OSError:  # No answer: nobody knows whether it was done.
                if wait_seconds is None:
                    raise
                time.sleep(wait_seconds)
        raise AssertionError


@dataclass(frozen=True)
class Customer:
    """A customer as the diary has them; ``number`` is the diary's own, and may have any letters."""

    number: str
    first_name: str
    last_name: str
    email: str
    mobile_phone: str


@dataclass(frozen=True)
class Appointment:
    """An appointment as the diary has it; ``id`` has letters, digits, dots, colons, underscores and hyphens."""

    id: str
    customer: Customer
    what: str
    starts_at: datetime


@dataclass(frozen=True)
class Diary:
    """What happens to appointments, told to Rebound. Whatever is not sure to have been done may be done again."""

    rebound: Rebound
    zone: ZoneInfo

    def book(self, appointment: Appointment) -> Any:
        """Ask the customer to confirm, and remind them a day before, or at once if it begins sooner."""
        profile = {name: value for name, value in vars(appointment.customer).items() if name != "number"}
        self.rebound.call("PUT", f"/customers/by-external-id/{quote(appointment.customer.number, safe='')}", profile)
        self._ask(appointment, "is booked for")
        # No day and hour: it goes along when the appointment is moved.
        content = {"subject": f"See you soon for {appointment.what}", "text": "##{{first_name}}, until then!"}
        return self._send(appointment, "reminder", "email", content, send_before={"hours": 24})

    def confirmed_at(self, appointment: Appointment) -> Any:
        """When the customer last answered C; ``None`` until then."""
        return self._log(appointment)["confirmed_at"]

    def move(self, appointment: Appointment, starts_at: datetime) -> Any:
        """Let the reminder go along, and ask anew; the answer says which messages wait, went out now, or expired."""
        new_time = {"starts_at": starts_at.isoformat()}
        moved = self.rebound.call("POST", f"/appointments/{appointment.id}/reschedule", new_time)
        asked = self._ask(replace(appointment, starts_at=starts_at), "is now")
        for message in filter(None, (entry["message"] for entry in self._log(appointment)["items"])):
            waits = message["status"] == "queued" and message["channel"] == "sms"
            if waits and message["message_id"] != asked["message_id"]:  # A question that names the old time.
                self.rebound.call("POST", f"/messages/{message['message_id']}/cancel")
        return moved

    def cancel(self, appointment: Appointment) -> Any:
        """Take back what has not gone out, and say so; the answer names what was taken back."""
        cancelled = self.rebound.call("POST", f"/appointments/{appointment.id}/cancel-messages")
        body = "##{{first_name}}, " + f"{appointment.what} on {self._at(appointment)} is cancelled."
        # Not about the appointment as Rebound has it: the same call again must not take this back.
        self._send(appointment, "cancelled", "sms", {"body": body}, appointment_id=None, starts_at=None)
        return cancelled

    def miss(self, appointment: Appointment) -> Any:
        """The customer did not come: offer a new time. The appointment has begun, so that starts_at stays away."""
        content = {"subject": "We missed you", "text": "##{{first_name}}, shall we find a new time?"}
        return self._send(appointment, "missed", "email", content, starts_at=None)

    def _ask(self, appointment: Appointment, words: str) -> Any:
        body = "##{{first_name}}, " + f"{appointment.what} {words} {self._at(appointment)}. Answer C to confirm."
        return self._send(appointment, "question", "sms", {"body": body}, asks_confirmation=True)

    def _send(self, appointment: Appointment, step: str, channel: str, content: Mapping[str, str], **more: Any) -> Any:
        about = {"external_id": appointment.customer.number, "appointment_id": appointment.id, "category": "reminder"}
        message: dict[str, Any] = {**about, "channel": channel, "content": content}
        message |= {"starts_at": appointment.starts_at.isoformat()}  # From then on it is of no use, and is not sent.
        once = f"{appointment.id}/{step}/{appointment.starts_at.timestamp():.0f}"
        return self.rebound.call("POST", "/messages", message | more, once)

    def _log(self, appointment: Appointment) -> Any:
        return self.rebound.call("GET", f"/appointments/{appointment.id}/log")

    def _at(self, appointment: Appointment) -> str:
        return f"{appointment.starts_at.astimezone(self.zone):%A %d %B at %H:%M}"


if __name__ == "__main__":
    step, appointment_id, hours = sys.argv[1:]
    diary = Diary(Rebound(os.environ["API_URL"], os.environ["API_KEY"]), ZoneInfo("America/New_York"))
    wren = Customer("till 3/0815", "Wren", "Sand", "wren@example.com", "+14155550153")
    at = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(hours=float(hours))
    haircut = Appointment(appointment_id, wren, "your haircut", at)
    print(json.dumps(diary.move(haircut, at) if step == "move" else getattr(diary, step)(haircut)))
