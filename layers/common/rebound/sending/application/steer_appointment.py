"""What becomes of the messages about an appointment when it is moved or cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from copy import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from rebound.businesses.application.timing import FARTHEST_SCHEDULE
from rebound.campaigns.domain.campaigns import Campaign
from rebound.kernel.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from rebound.kernel.retrying import retried
from rebound.messages.domain.appointments import AppointmentTime, MessagePosted
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.sending.domain.single_messages import CancelledBecause, SingleMessage, timed, timing_of

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.campaigns.ports import CampaignBook
    from rebound.messages.ports import AppointmentBook, MessageLog
    from rebound.platform.ports import Clock
    from rebound.sending.application.steer_message import SteerMessage

PAGE: Final = 100


class Rescheduled(Struct):
    """The messages that follow an appointment and had not been handed over when it was moved."""

    starts_at: datetime
    """When it begins now: another time than was asked for if it was moved again meanwhile."""
    moved: list[Message] = field(default_factory=list)
    """They wait for their new time."""
    sent_now: list[Message] = field(default_factory=list)
    """Their time is over, and the appointment has not begun."""
    expired: list[Message] = field(default_factory=list)
    """The appointment has begun, and they are left out."""

    def add(self, message: Message) -> None:
        """Put a message where it belongs."""
        if message.status is MessageStatus.EXCLUDED:
            self.expired.append(message)
        elif message.held_until is None:
            self.sent_now.append(message)
        else:
            self.moved.append(message)


class SteerAppointment(Struct, frozen=True, kw_only=True):
    """Moves and cancels the messages about an appointment that have not been handed over.

    Each call may be repeated, also after one that broke half way. When an appointment is moved twice at once, both end
    with the later time: each time has a version, no message goes back to a lower one, and whoever finds a higher one
    in the end goes on with that.
    """

    steer_message: SteerMessage
    appointments: AppointmentBook
    campaigns: CampaignBook
    messages: MessageLog
    businesses: BusinessDirectory
    clock: Clock

    def cancel(self, business_id: str, appointment_id: str) -> list[Message]:
        """Cancel all messages that wait, and close the questions of all the others.

        Returns those that were cancelled so, also by a call before, latest first.
        """
        cancelled = []
        for message in self._all(business_id, appointment_id):
            if message.status is MessageStatus.QUEUED:
                # Refused when it is being handed over, or was a moment ago.
                with suppress(ConflictError, NotFoundError):
                    steered = self.steer_message.cancel(
                        business_id, message.key.message_id, CancelledBecause.APPOINTMENT
                    )
                    cancelled.append(steered.message)
                    continue
            elif message.reason == CancelledBecause.APPOINTMENT:
                cancelled.append(message)
            # Nobody confirms an appointment that is cancelled, though the question is on the phone.
            self.steer_message.close_question(message)
        return cancelled

    def reschedule(self, business_id: str, appointment_id: str, starts_at: datetime) -> Rescheduled:
        """Time anew what is sent before the appointment, and expires with it. Raises ``InvalidInputError``."""
        if abs(starts_at - self.clock.now()) > FARTHEST_SCHEDULE:
            raise InvalidInputError(FieldError("starts_at", f"Must be within {FARTHEST_SCHEDULE.days} days of now."))
        time = self.appointments.move(business_id, appointment_id, starts_at)
        while True:
            done = Rescheduled(time.starts_at)
            for message in self._all(business_id, appointment_id):
                if message.status is MessageStatus.QUEUED:
                    moved = retried(partial(self._move, message, time))
                    if moved is not None:
                        done.add(moved)
            latest = self.appointments.time(business_id, appointment_id) or time
            if latest.version == time.version:
                return done
            time = latest

    def _move(self, message: Message, time: AppointmentTime) -> Message | None:
        """Move one message, unless a later time has moved it; ``None`` for one to which nothing happens by that.

        One with a time of its own only expires with the appointment.
        """
        try:
            found = self.steer_message.get(message.key.business_id, message.key.message_id)
        except NotFoundError:
            return None
        carrier = found.carrier
        if carrier is None or carrier.appointment_at is None or found.message.status is not MessageStatus.QUEUED:
            return None
        if carrier.appointment_version >= time.version:
            return found.message if carrier.lead is not None else None
        timing = replace(timing_of(carrier), appointment_at=time.starts_at)
        moved = self._replaced(found, carrier, timed(replace(carrier, appointment_version=time.version), timing))
        is_told = moved is not None and (carrier.lead is not None or moved.status is MessageStatus.EXCLUDED)
        return moved if is_told else None

    def _replaced(self, found: SingleMessage, carrier: Campaign, after: Campaign) -> Message | None:
        business = self.businesses.get(carrier.business_id)
        try:
            return self.steer_message.replace(found.message, carrier, after, business).message
        except NotFoundError:
            return None
        except ConflictError:
            # Should it come back, because the provider was busy, it is decided about by its new time.
            self.campaigns.replace(carrier, after)
            return None

    def _all(self, business_id: str, appointment_id: str) -> Iterator[Message]:
        cursor: str | None = None
        while True:
            page = self.appointments.page(business_id, appointment_id, PAGE, cursor)
            keys = [entry.key for entry in page.items if isinstance(entry, MessagePosted)]
            known = self.messages.get_many(keys)
            yield from (known[key] for key in keys if key in known)
            cursor = page.next_cursor
            if cursor is None:
                return
