"""Posting a message to one person."""

from __future__ import annotations

from contextlib import suppress
from copy import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from rebound.businesses.application.timing import FARTHEST_SCHEDULE, Timing
from rebound.businesses.domain.business import Business
from rebound.businesses.domain.quiet_hours import Whereabouts
from rebound.campaigns.application.barriers import check_barrier
from rebound.campaigns.domain.campaigns import queued_message
from rebound.campaigns.domain.chunks import Chunk
from rebound.customers.domain import Customer
from rebound.eligibility.domain.eligibility import Hold, decide
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConcurrentChangeError, ConflictError, FieldError, InvalidInputError, NotFoundError
from rebound.kernel.ids import time_of
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.appointments import Asked, MessagePosted
from rebound.messages.domain.messages import Message
from rebound.sending.domain.chunk_tasks import ChunkTask, lane_of
from rebound.sending.domain.message_timers import single_chunk
from rebound.sending.domain.recipients import invited_as
from rebound.sending.domain.single_messages import Elsewhere, Posted, carrier_of
from rebound.templates.domain.content import Said, TemplateContent
from rebound.templates.domain.rendering import check_said
from rebound.templates.domain.sendable import missing_for

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.campaigns.ports import CampaignBook, ChunkLedger
    from rebound.customers.ports import CustomerBook
    from rebound.messages.ports import AppointmentBook, MessageLog
    from rebound.platform.ports import Clock, Ids, RequestIds
    from rebound.sending.application.hold_chunk import HoldChunk
    from rebound.sending.ports import ChunkQueue


class PostMessage(Struct, frozen=True, kw_only=True):
    """A message to one person. It travels as a chunk of one and is no campaign to clients."""

    campaigns: CampaignBook
    customers: CustomerBook
    businesses: BusinessDirectory
    chunks: ChunkLedger
    messages: MessageLog
    queue: ChunkQueue
    clock: Clock
    ids: Ids
    request_ids: RequestIds
    appointments: AppointmentBook
    hold: HoldChunk
    whereabouts: Whereabouts

    def __call__(self, business_id: str, **given: Any) -> Message:
        """``posted``, for who wants to know no more than the message."""
        return self.posted(business_id, **given).message

    def posted(
        self,
        business_id: str,
        *,
        customer_id: str,
        category: Category,
        channel: Channel,
        content: Said,
        appointment_id: str | None = None,
        asks_confirmation: bool = False,
        asks_consent: bool = False,
        timing: Timing | None = None,
        request: str | None = None,
        message_id: str | None = None,
        customer_field: str = "customer_id",
        elsewhere: Elsewhere | None = None,
    ) -> Posted:
        """Queue the message, or hold it for its hour, and write it to the client log.

        Raises ``InvalidInputError`` and ``ConflictError``.

        ``appointment_id`` is the client's name for the appointment that the message is about; with
        ``asks_confirmation`` a text asks the customer to confirm that appointment.
        ``asks_consent`` is for our question whether marketing is wanted, which needs no consent but ``all``.
        ``request`` names the client's request: trying it again after a crash goes on with the same message. What nobody
        asked for has a ``message_id`` of what it is instead.
        ``customer_field`` is the field by which the client named the customer. With ``elsewhere`` it stands in the
        customer's log and goes to another address than theirs.
        """
        business, timing = self.businesses.get(business_id), timing or Timing()
        check_message(business, self.clock.now(), content, category, timing)
        if timing.appointment_at is not None and appointment_id is None:
            raise InvalidInputError(FieldError("appointment_id", "Needed with starts_at: which appointment begins."))
        if asks_confirmation and (channel is not Channel.SMS or appointment_id is None):
            what = "Only texts (channel sms) can be" if channel is not Channel.SMS else "Needs the appointment_id to be"
            raise InvalidInputError(FieldError("asks_confirmation", f"{what} confirmed by an answer."))
        try:
            customer = self.customers.get(business_id, customer_id)
        except NotFoundError:
            raise InvalidInputError(FieldError(customer_field, "There is no such customer.")) from None
        if elsewhere is not None:
            named = customer if elsewhere.name is None else invited_as(customer, elsewhere.name)
            customer = replace(named, email=elsewhere.address)
        check_variables(content, customer, business)
        check_barrier(business, channel, asks_confirmation=asks_confirmation)
        address = customer.contact_key(channel)
        if address is None:
            raise ConflictError("no_address", f"The customer has no {channel} address.", channel=channel)
        now = self.clock.now()
        proposed = message_id or self.ids.ulid(now)
        message_id = proposed if request is None else self.request_ids.id_for(business_id, request, proposed)
        message_key = MessageKey(business_id, customer_id, message_id)
        carrier = carrier_of(
            message_key,
            channel,
            category,
            content,
            now,
            send_at=timing.starts_at,
            local_time=timing.local_time,
            expires_at=timing.ends_at,
            appointment_id=appointment_id,
            appointment_at=timing.appointment_at,
            lead=timing.lead,
            asks_confirmation=asks_confirmation,
            asks_consent=asks_consent,
            **({} if elsewhere is None else elsewhere.of_carrier),
        )
        chunk_key = single_chunk(business_id, message_id)
        decision = decide(customer, None, business, carrier, now, whereabouts=self.whereabouts)
        held_until = decision.until if isinstance(decision, Hold) else None
        message = replace(queued_message(carrier, message_key, now, address=address.address), held_until=held_until)
        self.chunks.add(Chunk(chunk_key, (customer_id,), (customer_id,), created_at=now, not_before=held_until))
        with suppress(ConcurrentChangeError):
            # A request that is tried again finds the carrier that it wrote before.
            self.campaigns.add(carrier)
        self.messages.record([message])
        if appointment_id is not None:
            # Timed by the message's id, which is the same when the request is tried again.
            posted = MessagePosted(time_of(message_id), message_key, asks_confirmation)
            self.appointments.record(business_id, appointment_id, posted)
            if asks_confirmation:
                asked = Asked(posted.at, message_key, appointment_id)
                self.appointments.ask(address, asked, sent_at=carrier.send_at)
        task = ChunkTask(chunk_key, 1, lane_of(carrier))
        if held_until is None:
            self.queue.put(channel, [task])
        else:
            self.hold(carrier, task, held_until, now, business.version)
        return Posted(message, carrier, business, customer)


def check_variables(content: Said, customer: Customer, business: Business) -> None:
    """Refuse a message to a customer in which a required variable says nothing. Raises ``InvalidInputError``."""
    if isinstance(content, TemplateContent) and content.declared:
        # Only templates have variables of their own.
        from rebound.templates.domain.variables import check_required  # noqa: PLC0415

        check_required(content.declared, missing_for(content, customer, business))


def check_message(
    business: Business, now: datetime, content: Said | None, category: Category, timing: Timing | None
) -> None:
    """Check what is given of a message's content and timing. Raises ``InvalidInputError``."""
    errors: list[FieldError] = []
    if content is not None:
        try:
            check_said(content, category, business)
        except InvalidInputError as error:
            errors.extend(error.errors)
    if timing is not None:
        errors.extend(timing.problems(business, now, FARTHEST_SCHEDULE))
    if errors:
        raise InvalidInputError(*errors)
