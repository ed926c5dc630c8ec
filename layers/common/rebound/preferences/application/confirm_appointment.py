"""Confirming an appointment by the link in an email that goes in place of a text, which is answered with C."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.customers.domain import Customer, language_for
from rebound.kernel.channels import ContactKey
from rebound.kernel.errors import NotFoundError
from rebound.kernel.events import AppointmentConfirmed
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.appointments import BY_LINK, Answered
from rebound.messages.domain.links import Purpose

if TYPE_CHECKING:
    from datetime import datetime

    from rebound.businesses.ports import BusinessDirectory
    from rebound.customers.ports import CustomerBook
    from rebound.messages.ports import AppointmentBook, MessageLog
    from rebound.platform.ports import Clock
    from rebound.preferences.application.follow_links import LinkReader
    from rebound.webhooks.application.publish_events import PublishEvents

LATEST: Final = 100
"""Entries of an appointment's log that are looked at."""


class AppointmentState(StrEnum):
    """How it stands with the appointment that a message asks about."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    CLOSED = "closed"
    """It was cancelled, or nobody waits for an answer any more."""


class AppointmentView(Struct, frozen=True):
    """What the holder of a link sees; ``language`` is that of the customer, else the business's."""

    business: Business
    state: AppointmentState
    language: str


class _Opened(Struct, frozen=True):
    """A link that was opened: the message that it stood in, and what that asks about."""

    message: MessageKey
    contact: ContactKey
    appointment_id: str


class ConfirmAppointment(Struct, frozen=True, kw_only=True):
    """Shows what a link stands for, and confirms the appointment. Showing never changes anything.

    A confirmation is the same as one by text: it is in the appointment's log, and is published
    (``AppointmentConfirmed``). Every step may be done again; the question is closed last, so that what broke off half
    way is done when the button is pressed once more. Both methods raise ``NotFoundError`` when it is no such link.
    """

    reader: LinkReader
    messages: MessageLog
    appointments: AppointmentBook
    businesses: BusinessDirectory
    customers: CustomerBook
    publish: PublishEvents
    clock: Clock

    def show(self, token: str) -> AppointmentView:
        """How it stands."""
        return self._view(self._open(token))

    def confirm(self, token: str) -> AppointmentView:
        """Confirm the appointment if somebody waits for that, and show how it stands then."""
        opened = self._open(token)
        key, appointment_id = opened.message, opened.appointment_id
        about = (key.customer_id, appointment_id)
        asked = [
            question
            for question in self.appointments.asked(opened.contact)
            if (question.key.customer_id, question.appointment_id) == about
        ]
        if not any(question.key == key for question in asked):
            return self._view(opened)
        reply_id = _reply_id(key)
        at = self._answered_at(opened) or self.clock.now()
        self.appointments.record(key.business_id, appointment_id, Answered(at, reply_id, confirmed=True))
        confirmed = AppointmentConfirmed(
            key.business_id, appointment_id, key.customer_id, key.message_id, reply_id, at, reply_id
        )
        self.publish([confirmed], at, business=self.businesses.get(key.business_id))
        self.appointments.close(opened.contact, asked)
        return self._view(opened)

    def _open(self, token: str) -> _Opened:
        link = self.reader.read(token, Purpose.APPOINTMENT)
        message = None if link is None else self.messages.get_many([link.message]).get(link.message)
        if link is None or message is None or message.appointment_id is None:
            raise NotFoundError("link")
        return _Opened(link.message, message.contact, message.appointment_id)

    def _view(self, opened: _Opened) -> AppointmentView:
        if any(question.key == opened.message for question in self.appointments.asked(opened.contact)):
            state = AppointmentState.ASKED
        elif self._answered_at(opened) is not None:
            state = AppointmentState.CONFIRMED
        else:
            state = AppointmentState.CLOSED
        business = self.businesses.get(opened.message.business_id)
        return AppointmentView(business, state, language_for(self._customer(opened.message), business))

    def _answered_at(self, opened: _Opened) -> datetime | None:
        """When the appointment was confirmed by this link."""
        entries = self.appointments.page(opened.message.business_id, opened.appointment_id, LATEST, None).items
        reply_id = _reply_id(opened.message)
        return next((e.at for e in entries if isinstance(e, Answered) and e.reply_id == reply_id), None)

    def _customer(self, key: MessageKey) -> Customer | None:
        try:
            return self.customers.get(key.business_id, key.customer_id)
        except NotFoundError:
            return None


def _reply_id(key: MessageKey) -> str:
    """The id of the answer that a press of the button is, however often it is pressed."""
    return f"{BY_LINK}{key.message_id}"
