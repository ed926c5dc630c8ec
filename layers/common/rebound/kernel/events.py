"""The domain events that Rebound publishes on the event bus, named in the past tense.

They carry ids and no personal data (truth 12). ``docs/events`` holds a JSON Schema for each class here.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final, get_args

from msgspec import Struct
from msgspec.structs import asdict

from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.times import write_time


class _Event(Struct, frozen=True, kw_only=True):
    """What every event has besides its own fields; filled in when it is published, ``None`` until then.

    ``event_id`` is a ULID that is made of what happened: it is the same however often the event is published, and for
    whomever. ``occurred_at`` is when Rebound wrote down what the event tells.
    """

    event_id: str | None = None
    occurred_at: datetime | None = None


class _OfCustomers(_Event, frozen=True, kw_only=True):
    """An event that names customers by ``customer_ids``.

    ``external_ids`` are the client's own ids of them, in the same order, ``None`` for who has none or was deleted.
    """

    external_ids: tuple[str | None, ...] = ()


class _OfCustomer(_Event, frozen=True, kw_only=True):
    """An event that names one customer; ``external_id`` is the client's own id of them, if they have one."""

    external_id: str | None = None


class ContactInvalidated(_OfCustomers, frozen=True):
    """An address turned out to be bad, or customers came to one that is: those who have it now.

    ``version`` numbers the writes of contacts, by their time. ``change_id`` identifies the write that caused the event:
    an event that is published again carries the same ``change_id``, and no other write of any contact has it.
    """

    business_id: str
    channel: Channel
    customer_ids: tuple[str, ...]
    reason: str
    since: datetime
    version: int
    change_id: str


class ContactRestored(_OfCustomers, frozen=True):
    """A flagged address was delivered to, edited or confirmed, or its bounces were rolled back, or customers left it.

    A customer who leaves it is named when the address that they have now has no flag, when they have none, and when
    they are deleted.
    """

    business_id: str
    channel: Channel
    customer_ids: tuple[str, ...]
    version: int
    change_id: str


class _ScopeChanged(_OfCustomers, frozen=True):
    business_id: str
    channel: Channel
    customer_ids: tuple[str, ...]
    scope: Scope
    source: ConsentSource
    at: datetime
    version: int
    change_id: str


class ContactOptedOut(_ScopeChanged, frozen=True):
    """An address may no longer be written to in one scope: it was opted out by ``source`` at ``at``.

    A write that opts out of two scopes is published as two events with one ``change_id``.
    """


class ContactOptedIn(_ScopeChanged, frozen=True):
    """An address that was opted out of one scope may be written to in it again: opted in by ``source`` at ``at``.

    ``version`` and ``change_id`` are as in ``ContactInvalidated``; events for two scopes of one write share both.
    """


class ConsentChanged(_OfCustomers, frozen=True):
    """What an address may be written to about has changed: how its consent stands now, whatever changed it.

    ``opted_out`` are all scopes that are opted out; ``confirmed`` says whether the owner has opted in to marketing in
    their own word. ``source`` and ``at`` are of the latest statement that is new.
    """

    business_id: str
    channel: Channel
    customer_ids: tuple[str, ...]
    opted_out: tuple[Scope, ...]
    confirmed: bool
    source: ConsentSource
    at: datetime
    version: int
    change_id: str


class PausedBy(StrEnum):
    """Who paused a campaign."""

    PERSON = "person"
    BREAKER = "breaker"
    """It paused itself."""


class CampaignPaused(_Event, frozen=True):
    """A campaign was paused; ``reason`` is a sentence when the campaign paused itself, else ``None``.

    ``version`` numbers the writes of the campaign; ``change_id`` is as in ``ContactInvalidated``.
    """

    business_id: str
    campaign_id: str
    by: PausedBy
    reason: str | None
    version: int
    change_id: str


class CampaignCompleted(_Event, frozen=True):
    """Every targeted customer was handed over or left out; the counts are those at the time of this event."""

    business_id: str
    campaign_id: str
    matched: int
    excluded: dict[str, int]
    targeted: int
    results: dict[str, int]
    version: int
    change_id: str


class BounceRateWarned(_Event, frozen=True):
    """So many of a campaign's emails bounce for good that somebody should look; published once per campaign."""

    business_id: str
    campaign_id: str
    hard_bounces: int
    outcomes: int
    version: int
    change_id: str


class _TextPlanNote(_Event, frozen=True):
    business_id: str
    month: str
    included: int
    used: int
    change_id: str


class TextPlanWarning(_TextPlanNote, frozen=True):
    """80 percent or more of a business's text segments of a ``month`` (such as ``2026-11``) are used.

    Published once a month, as the owner is told by email; ``change_id`` is the month.
    """


class TextPlanExhausted(_TextPlanNote, frozen=True):
    """No text segments are left for a ``month``, or too few for a text that was to go out; as ``TextPlanWarning``."""


class AppointmentConfirmed(_OfCustomer, frozen=True):
    """The customer confirmed an appointment by answering the text that asked for it, or on the page behind its link.

    ``message_id`` is that text, or the email in its place; ``reply_id`` the provider's id of the answer, and for the
    page ``link`` with the message's id.
    """

    business_id: str
    appointment_id: str
    customer_id: str
    message_id: str
    reply_id: str
    confirmed_at: datetime
    change_id: str


class ReplyReceived(_OfCustomers, frozen=True):
    """Somebody texted what staff must read: a free answer to a question, or what reads like a revocation.

    ``external_id`` belongs to ``customer_id``, ``external_ids`` to ``customer_ids``.
    ``kind`` is what it was taken for, ``keyword`` what it already did. ``message_id``, ``customer_id`` and
    ``appointment_id`` name our text that it answers, where that is known. The words are read through the API.
    """

    business_id: str
    reply_id: str
    customer_ids: tuple[str, ...]
    kind: str
    keyword: str | None
    message_id: str | None
    customer_id: str | None
    appointment_id: str | None
    received_at: datetime
    change_id: str
    external_id: str | None = None


class MessageDelivered(_OfCustomer, frozen=True):
    """A single message was delivered at ``delivered_at``, by the provider's own time."""

    business_id: str
    message_id: str
    customer_id: str
    appointment_id: str | None
    channel: Channel
    category: Category
    delivered_at: datetime
    change_id: str


class MessageFailed(_OfCustomer, frozen=True):
    """A single message was not delivered: ``status`` is ``bounced`` where the address is at fault, else ``failed``.

    It may follow a ``MessageDelivered`` of the same message, and then it is what counts.
    """

    business_id: str
    message_id: str
    customer_id: str
    appointment_id: str | None
    channel: Channel
    category: Category
    status: str
    reason: str | None
    failed_at: datetime
    change_id: str


class MessageExcluded(_OfCustomer, frozen=True):
    """A single message was left out by the decision right before the send, for ``reason``."""

    business_id: str
    message_id: str
    customer_id: str
    appointment_id: str | None
    channel: Channel
    category: Category
    reason: str | None
    change_id: str


MessageEvent = MessageDelivered | MessageFailed | MessageExcluded

DomainEvent = (
    ContactInvalidated
    | ContactRestored
    | ContactOptedOut
    | ContactOptedIn
    | ConsentChanged
    | CampaignPaused
    | CampaignCompleted
    | BounceRateWarned
    | TextPlanWarning
    | TextPlanExhausted
    | AppointmentConfirmed
    | ReplyReceived
    | MessageDelivered
    | MessageFailed
    | MessageExcluded
)

MESSAGE_EVENTS: Final = tuple(event.__name__ for event in get_args(MessageEvent))
"""The names of events about each single message, which the bus gets only for a business that names them."""
EVENTS: Final = tuple(event.__name__ for event in get_args(DomainEvent))
"""The names of all events."""


def detail_of(event: DomainEvent) -> dict[str, Any]:
    """The fields of an event as JSON has them."""
    return {name: write_time(value) if isinstance(value, datetime) else value for name, value in asdict(event).items()}
