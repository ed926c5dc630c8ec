"""A message to one person, with what carries it."""

from collections.abc import Callable
from copy import replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct

from rebound.businesses.application.timing import Timing
from rebound.businesses.domain.business import Business
from rebound.campaigns.domain.campaigns import Campaign, CampaignStatus, single_id
from rebound.customers.domain import Customer
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConflictError
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.segments.domain.selections import Selection
from rebound.templates.domain.content import Said


class CancelledBecause(StrEnum):
    """Why a message to one person was cancelled."""

    REQUESTED = "cancelled_by_request"
    """It was cancelled by itself."""
    APPOINTMENT = "appointment_cancelled"
    """All messages about its appointment were."""
    NEEDLESS = "no_longer_needed"
    """What it asks for has been done, or nobody needs it any more: Rebound took it back."""


class SingleMessage(Struct, frozen=True):
    """A message, and the carrier that says what it says and when it is due.

    There is no carrier for a campaign's message, and none any more 30 days after the message's time.
    """

    message: Message
    carrier: Campaign | None = None


class Elsewhere(Struct, frozen=True):
    """Where a message goes in place of the customer's own address: an invitation to a relation of theirs.

    ``name`` is that of whoever is invited and is no customer.
    """

    address: str
    relation_id: str
    name: str | None = None

    @property
    def of_carrier(self) -> dict[str, str | None]:
        """What the message's carrier says of it."""
        return {"copy_to": self.address, "copy_name": self.name, "relation_id": self.relation_id}


class Posted(Struct, frozen=True):
    """A message that has just been posted or changed, with what it was decided on."""

    message: Message
    carrier: Campaign
    business: Business
    customer: Customer


def carrier_of(
    key: MessageKey, channel: Channel, category: Category, content: Said, now: datetime, **more: Any
) -> Campaign:
    """What carries a message to one person: a campaign of its own, which is none to clients."""
    return Campaign(
        business_id=key.business_id,
        campaign_id=single_id(key.message_id),
        name="",
        category=category,
        channel=channel,
        selection=Selection(customer_ids=(key.customer_id,)),
        content=content,
        created_at=now,
        status=CampaignStatus.SENDING,
        run_id=key.message_id,
        single=True,
        **more,
    )


def not_waiting(message: Message) -> ConflictError:
    """The error for an attempt to change a message that does not wait to be sent any more."""
    if message.status in (MessageStatus.QUEUED, MessageStatus.SENDING):
        return ConflictError("message_in_hand", "The message is being handed to the provider at this moment.")
    status = message.shown_status
    return ConflictError("message_not_waiting", f"The message is {status}.", message_status=status)


class MessageChange(Struct, frozen=True, kw_only=True):
    """What a client changes of a message that waits; ``None`` for what stays as it is."""

    content: Callable[[Campaign], Said] | None = None
    """What it says, of its carrier."""
    timing: Callable[[Timing], Timing] | None = None
    """When it is sent, from when it was to be sent before."""


def timing_of(carrier: Campaign) -> Timing:
    """When a message is to be sent, as a client would say it."""
    if carrier.lead is not None:
        return Timing(appointment_at=carrier.appointment_at, lead=carrier.lead)
    expires_at = carrier.expires_at if carrier.appointment_at is None else None
    if carrier.local_time is not None:
        return Timing(None, carrier.local_time, expires_at, carrier.appointment_at)
    return Timing(carrier.send_at, None, expires_at, carrier.appointment_at)


def timed(carrier: Campaign, timing: Timing) -> Campaign:
    """The carrier with another timing."""
    return replace(
        carrier,
        send_at=timing.starts_at,
        local_time=timing.local_time,
        expires_at=timing.ends_at,
        appointment_at=timing.appointment_at,
        lead=timing.lead,
    )
