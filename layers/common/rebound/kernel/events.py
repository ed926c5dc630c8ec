"""The domain events that Rebound publishes on the event bus, named in the past tense.

They carry ids and no personal data (truth 12). ``docs/events`` holds a JSON Schema for each class here.
"""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope


class ContactInvalidated(Struct, frozen=True):
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


class ContactRestored(Struct, frozen=True):
    """A flagged address was delivered to, edited or confirmed, or its bounces were rolled back, or customers left it.

    A customer who leaves it is named when the address that they have now has no flag, when they have none, and when
    they are deleted.
    """

    business_id: str
    channel: Channel
    customer_ids: tuple[str, ...]
    version: int
    change_id: str


class _ScopeChanged(Struct, frozen=True):
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


class PausedBy(StrEnum):
    """Who paused a campaign."""

    PERSON = "person"
    BREAKER = "breaker"
    """It paused itself."""


class CampaignPaused(Struct, frozen=True):
    """A campaign was paused; ``reason`` is a sentence when the campaign paused itself, else ``None``.

    ``version`` numbers the writes of the campaign; ``change_id`` is as in ``ContactInvalidated``.
    """

    business_id: str
    campaign_id: str
    by: PausedBy
    reason: str | None
    version: int
    change_id: str


class CampaignCompleted(Struct, frozen=True):
    """Every targeted customer was handed over or left out; the counts are those at the time of this event."""

    business_id: str
    campaign_id: str
    matched: int
    excluded: dict[str, int]
    targeted: int
    results: dict[str, int]
    version: int
    change_id: str


class BounceRateWarned(Struct, frozen=True):
    """So many of a campaign's emails bounce for good that somebody should look; published once per campaign."""

    business_id: str
    campaign_id: str
    hard_bounces: int
    outcomes: int
    version: int
    change_id: str


class AppointmentConfirmed(Struct, frozen=True):
    """The customer confirmed an appointment by answering the text that asked for it.

    ``message_id`` is that text, ``reply_id`` the provider's id of the answer.
    """

    business_id: str
    appointment_id: str
    customer_id: str
    message_id: str
    reply_id: str
    confirmed_at: datetime
    change_id: str


class ReplyReceived(Struct, frozen=True):
    """Somebody texted what staff must read: a free answer to a question, or what reads like a revocation.

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


DomainEvent = (
    ContactInvalidated
    | ContactRestored
    | ContactOptedOut
    | ContactOptedIn
    | CampaignPaused
    | CampaignCompleted
    | BounceRateWarned
    | AppointmentConfirmed
    | ReplyReceived
)
