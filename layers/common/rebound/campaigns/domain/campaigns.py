"""A campaign: what is sent to whom, and where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from rebound.campaigns.domain.chunks import Chunk
from rebound.campaigns.domain.gates import Gate
from rebound.kernel.channels import Channel
from rebound.kernel.ids import derived_ulid, id_of_external
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.goals import Goal
from rebound.messages.domain.labels import FAULT, FINAL, HARD_BOUNCE, in_window
from rebound.messages.domain.mailing import Mailing
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.templates.domain.content import Said


class CampaignStatus(StrEnum):
    """Where a campaign stands."""

    DRAFT = "draft"
    """Nothing happens to it by itself: it has to be announced."""
    SCHEDULED = "scheduled"
    EXPANDING = "expanding"
    SENDING = "sending"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


ENDED: Final = frozenset({CampaignStatus.COMPLETED, CampaignStatus.CANCELLED, CampaignStatus.FAILED})
RUNNING: Final = frozenset({CampaignStatus.EXPANDING, CampaignStatus.SENDING})
UNDER_WAY: Final = RUNNING | {CampaignStatus.PAUSED}
"""The statuses in which somebody may wait for a message."""
WAITING: Final = frozenset({CampaignStatus.DRAFT, CampaignStatus.SCHEDULED, CampaignStatus.PAUSED})
"""The statuses in which a campaign that has no run yet may be edited."""
HALTED: Final = frozenset({CampaignStatus.PAUSED, CampaignStatus.CANCELLED})
"""The statuses in which nothing may be handed over."""


class FinalWords(Struct, frozen=True):
    """How many of a campaign's messages of one window have a final word, and how many of them speak against going on.

    ``faults`` failed through the sender's own fault or for their content; ``hard_bounces`` came back for good, as SES
    counts them.
    """

    total: int = 0
    faults: int = 0
    hard_bounces: int = 0


class Rollback(Struct, frozen=True):
    """A request to take back the flags that a campaign's bounces raised, because somebody else was at fault.

    It covers the bounces from ``since`` until ``until``; ``None`` leaves that end open. ``bounces`` counts the messages
    whose bounces have been voided so far. ``rollback_id`` tells one request from another.
    """

    rollback_id: str
    requested_at: datetime
    since: datetime | None = None
    until: datetime | None = None
    bounces: int = 0
    done: bool = False

    def covers(self, at: datetime) -> bool:
        """Whether a bounce at this time is to be voided."""
        return (self.since is None or at >= self.since) and (self.until is None or at <= self.until)


def all_named(business_id: str, customer_ids: Iterable[str], external_ids: Iterable[str]) -> frozenset[str]:
    """The ids of all customers of two lists."""
    return frozenset(customer_ids).union(id_of_external(business_id, each) for each in external_ids)


class Campaign(Mailing, frozen=True, kw_only=True):
    """The definition of a send and its state.

    ``run_id`` is fixed when the campaign is planned, so that the client log sorts by the time of sending. The
    selection's ``filter`` is filled from the segment at that time as well: a later change of the segment does not
    change a campaign under way. A ``single`` campaign carries one message and is no campaign to clients;
    ``appointment_id`` is the client's appointment that it may be about. When that begins at ``appointment_at``, the
    message expires; with ``lead`` it is sent so long before. ``appointment_version`` is that of the ``AppointmentTime``
    by which it was moved last, 0 for none. ``include_external_ids`` are the business's own ids of those of
    ``include_customer_ids`` whom it named by these, and ``exclude_external_ids`` of ``exclude_customer_ids``.
    ``paused_because`` is set only while the campaign is paused and no person paused it. ``window`` counts the resumes:
    what was sent before a resume says nothing about the time after it. ``bounce_warning`` holds the final words at the
    time of the first bounce warning. ``rollback`` is the latest that was asked for. ``recalling`` is set once everybody
    else is accounted for and those who made way for others at their address are decided about again (``addresses``).
    ``names_left_out`` is set where the expansion keeps whom it leaves out (``LeftOut``), as campaigns of former
    versions did not. ``test_to`` is the address of a single message that is a test, whose customer is made up.
    An occurrence of the recurring campaign ``recurring_id``, on the local day ``occurrence_date``, goes to its members
    (``MemberList``), whatever its selection says.
    A campaign with ``contents`` has a child for each of these tiers once it is planned (``by_tier``), which has a
    ``parent_id`` and a ``tier``.
    ``copy_of`` is the message that a single one is a copy of, ``relation_id`` the relation to which one invites, and
    ``copy_to`` the address that either goes to in place of the customer's. An invitation to somebody who is no customer
    speaks to them by their ``copy_name``. What carries the messages of a step has the ``sequence_id`` of its sequence,
    neither an audience nor a run of its own (``of_chunk``); ``aside`` is the version of the gate behind which chunks of
    it were set aside last, 0 for those that the breaker held, ``None`` where none wait for the sequence to go on.
    ``goal`` is what it is to bring about. ``version`` counts the writes of the stored row, 0 for none yet.
    """

    campaign_id: str
    name: str
    content: Said
    created_at: datetime
    status: CampaignStatus
    ranges: int = 1
    started_at: datetime | None = None
    completed_at: datetime | None = None
    failure: str | None = None
    appointment_id: str | None = None
    include_external_ids: frozenset[str] = frozenset()
    exclude_external_ids: frozenset[str] = frozenset()
    appointment_at: datetime | None = None
    lead: timedelta | None = None
    appointment_version: int = 0
    paused_because: str | None = None
    window: int = 0
    bounce_warning: FinalWords | None = None
    rollback: Rollback | None = None
    recalling: bool = False
    names_left_out: bool = False
    test_to: str | None = None
    recurring_id: str | None = None
    occurrence_date: date | None = None
    parent_id: str | None = None
    tier: str | None = None
    copy_of: str | None = None
    copy_to: str | None = None
    copy_name: str | None = None
    relation_id: str | None = None
    sequence_id: str | None = None
    aside: int | None = None
    goal: Goal | None = None
    version: int = 0

    @property
    def is_carrier(self) -> bool:
        """Whether it only carries messages, and is no campaign to clients."""
        return self.single or self.sequence_id is not None

    def of_chunk(self, chunk: Chunk, gate: Gate | None) -> Campaign:
        """The campaign as it is for a chunk: what carries a sequence's messages has a run for each.

        It is paused while the sequence is off, and cancelled once it is deleted; so is a chunk whose time came while
        the sequence was off, where what is late lapses.
        """
        if self.sequence_id is None:
            return self
        made_at = chunk.created_at or self.created_at
        run_id = derived_ulid(made_at, f"{self.campaign_id}#{chunk.key.chunk}")
        if (
            gate is None
            or not gate.is_for(self.campaign_id)
            or gate.has_lapsed(max(made_at, chunk.not_before or made_at))
        ):
            return replace(self, run_id=run_id, status=CampaignStatus.CANCELLED)
        return replace(self, run_id=run_id, status=self.status if gate.is_open else CampaignStatus.PAUSED)

    @property
    def named_to_include(self) -> frozenset[str]:
        """Those of ``include_customer_ids`` whom the client named by our ids."""
        return self.include_customer_ids - all_named(self.business_id, (), self.include_external_ids)

    @property
    def named_to_exclude(self) -> frozenset[str]:
        """Those of ``exclude_customer_ids`` whom the client named by our ids."""
        return self.exclude_customer_ids - all_named(self.business_id, (), self.exclude_external_ids)

    @property
    def is_editable(self) -> bool:
        """Whether nothing of it is fixed yet: it waits, and no run has been planned."""
        return self.run_id is None and self.status in WAITING

    def failed(self, why: str, at: datetime) -> Campaign:
        """The campaign as one that cannot be sent."""
        return replace(self, status=CampaignStatus.FAILED, failure=why, completed_at=at)

    def is_due(self, now: datetime) -> bool:
        """Whether its run may be planned: it is no draft, and its time has come."""
        return self.status is not CampaignStatus.DRAFT and self.starts_at(now) <= now

    @property
    def recipient(self) -> str | None:
        """Whom a single message is for; ``None`` for a campaign."""
        return self.selection.customer_ids[0] if self.single and self.selection.customer_ids else None

    @property
    def by_email(self) -> Campaign:
        """A campaign of texts as it is for those to whom it goes by email instead."""
        # What sends as was meant needs nothing that reads placeholders.
        from rebound.templates.domain.text_as_email import said_by_email  # noqa: PLC0415

        return replace(self.with_said(said_by_email), channel=Channel.EMAIL)


SINGLE: Final = "single-"
"""Prefix of the id under which the carrier of a single message is kept: it sorts behind every ULID."""


def single_id(message_id: str) -> str:
    """The id of the carrier of a single message."""
    return f"{SINGLE}{message_id}"


def queued_message(campaign: Campaign, key: MessageKey, queued_at: datetime | None, address: str) -> Message:
    """A message that has not been handed over."""
    return Message(
        key=key,
        channel=campaign.channel,
        category=campaign.category,
        address=address,
        status=MessageStatus.QUEUED,
        campaign_id=None if campaign.single else campaign.campaign_id,
        queued_at=queued_at,
        window=campaign.window or None,
        appointment_id=campaign.appointment_id,
        asks_confirmation=campaign.asks_confirmation,
        voucher=None if campaign.voucher is None or campaign.single else campaign.voucher.number,
        copy_of=campaign.copy_of,
        relation_id=campaign.relation_id,
        variant=campaign.variant_of(key.customer_id),
        goal=None if campaign.goal is None else campaign.goal.written,
    )


def final_words(counts: Mapping[str, int], window: int) -> FinalWords:
    """The final words of one of a campaign's windows, from the campaign's counts."""
    return FinalWords(*(counts.get(in_window(marker, window), 0) for marker in (FINAL, FAULT, HARD_BOUNCE)))
