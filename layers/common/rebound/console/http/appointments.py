"""What was sent about an appointment, and what the customer answered."""

from datetime import datetime
from http import HTTPStatus
from typing import Final

from msgspec import Struct

from rebound.console.http.requests import PageAnswer
from rebound.console.http.visits import Visit
from rebound.kernel.errors import InvalidInputError
from rebound.kernel.ids import time_of
from rebound.messages.domain.appointments import Answered
from rebound.messages.domain.messages import Message
from rebound.timeline.domain import sentence_of_answer, sentence_of_message

PAGE: Final = 50


class ShownEntry(Struct, frozen=True):
    """One thing that happened; ``customer_id`` where a message says whose the appointment is."""

    at: datetime
    sentence: str
    customer_id: str | None


def show(visit: Visit) -> PageAnswer:
    """The log of one appointment, newest first, or only the question which."""
    query = visit.request.query
    appointment_id = query.one("id")
    if not appointment_id:
        return visit.page("appointments", asked="", log=None, entries=(), wrong={})
    try:
        log = visit.behind.read_appointment_log(visit.business_id, appointment_id, PAGE, query.given("cursor"))
    except InvalidInputError as error:
        wrong = {"id": [each.message for each in error.errors]}
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return visit.page("appointments", status, asked=appointment_id, log=None, entries=(), wrong=wrong)
    return visit.page("appointments", asked=appointment_id, log=log, entries=list(map(_shown, log.entries)), wrong={})


def _shown(entry: Message | Answered) -> ShownEntry:
    if isinstance(entry, Answered):
        return ShownEntry(entry.at, sentence_of_answer(entry), None)
    return ShownEntry(time_of(entry.key.message_id), sentence_of_message(entry), entry.key.customer_id)
