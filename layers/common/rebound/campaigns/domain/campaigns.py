"""A campaign: what is sent to whom, and where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, field

from rebound.kernel.ulids import BASE32, TIME_DIGITS

if TYPE_CHECKING:
    from rebound.kernel.categories import Category
    from rebound.kernel.channels import Channel


class CampaignStatus(StrEnum):
    """Where a campaign stands."""

    SCHEDULED = "scheduled"
    EXPANDING = "expanding"
    SENDING = "sending"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


ENDED: Final = frozenset({CampaignStatus.COMPLETED, CampaignStatus.CANCELLED, CampaignStatus.FAILED})
RUNNING: Final = frozenset({CampaignStatus.EXPANDING, CampaignStatus.SENDING})
HALTED: Final = frozenset({CampaignStatus.PAUSED, CampaignStatus.CANCELLED})
"""Nothing may be handed over."""


class EmailContent(Struct, frozen=True):
    """An email with ``##{{field}}`` placeholders; at least one of ``html`` and ``text`` is there."""

    subject: str
    html: str | None = None
    text: str | None = None


class TextContent(Struct, frozen=True):
    """A text message with ``##{{field}}`` placeholders."""

    body: str


Content = EmailContent | TextContent


class Selection(Struct, frozen=True):
    """Who is meant: exactly one of a saved segment, a filter and a list of customers."""

    segment_id: str | None = None
    filter: Mapping[str, Any] | None = None
    customer_ids: tuple[str, ...] | None = None


class FinalWords(Struct, frozen=True):
    """How many of a campaign's messages of one window have a final word, and how many of them speak against going on.

    ``faults`` failed through the sender's own fault or for their content; ``hard_bounces`` came back for good, as SES
    counts them.
    """

    total: int = 0
    faults: int = 0
    hard_bounces: int = 0


class Rollback(Struct, frozen=True):
    """Flags that a campaign's bounces raised are taken back, because somebody else was at fault.

    Those of bounces that happened from ``since`` until ``until``, each open when it is ``None``. ``bounces`` counts the
    messages whose bounces have been voided so far. ``rollback_id`` tells one request from another.
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


class Campaign(Struct, frozen=True):
    """The definition of a send and its state.

    ``run_id`` is a ULID from which every recipient's message id follows (truth 7); it is fixed when the campaign is
    planned, so that the client log sorts by the time of sending. ``filter`` of the selection is likewise filled from
    the segment at that time: a segment that is changed later does not change a campaign under way. ``single`` marks the
    carrier of one message to one person, which is no campaign to clients; it may be about an appointment of the
    client's (``appointment_id``) and ask for its confirmation. ``paused_because`` is there only while it is paused and
    nobody paused it. ``window`` counts the resumes: what was sent before one says nothing about the time after it.
    ``bounce_warning`` is what was known when so much bounced that somebody should look, for the first time.
    ``rollback`` is the latest that was asked for.
    With ``local_time``, what the clock on the wall shows when each recipient gets it in their own zone, ``send_at`` is
    the moment at which the first clock on earth shows it. Nothing is handed over from ``expires_at`` on.
    ``version`` counts the writes of the stored row, 0 for none yet.
    """

    business_id: str
    campaign_id: str
    name: str
    category: Category
    channel: Channel
    selection: Selection
    content: Content
    created_at: datetime
    status: CampaignStatus
    exclude_failed: bool = True
    include_customer_ids: frozenset[str] = frozenset()
    send_at: datetime | None = None
    local_time: datetime | None = None
    expires_at: datetime | None = None
    run_id: str | None = None
    ranges: int = 1
    started_at: datetime | None = None
    completed_at: datetime | None = None
    failure: str | None = None
    single: bool = False
    appointment_id: str | None = None
    asks_confirmation: bool = False
    paused_because: str | None = None
    window: int = 0
    bounce_warning: FinalWords | None = None
    rollback: Rollback | None = None
    version: int = 0

    def message_id(self, customer_id: str) -> str:
        """The id of this run's message to a customer: the same each time it is asked for, and nobody else's.

        A ULID with the run's time, so that ids sort by time of sending; its random part is a hash of run and customer.
        Only a planned campaign has messages.
        """
        if self.run_id is None:
            raise ValueError("the campaign has not been planned")
        if self.single:
            return self.run_id
        number = int.from_bytes(sha256(f"{self.run_id}#{customer_id}".encode()).digest()[:10])
        digits = (BASE32[number >> shift & 31] for shift in range(75, -5, -5))
        return self.run_id[:TIME_DIGITS] + "".join(digits)


class Audience(Struct, frozen=True):
    """Who was meant and who is left: ``matched`` = sum of ``excluded`` + ``targeted`` (truth 9)."""

    matched: int = 0
    excluded: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def targeted(self) -> int:
        """How many are to get the message."""
        return self.matched - sum(self.excluded.values())

    def plus(self, other: Audience) -> Audience:
        """Both audiences together, which must not overlap."""
        reasons = sorted({*self.excluded, *other.excluded})
        return Audience(
            self.matched + other.matched,
            MappingProxyType({r: self.excluded.get(r, 0) + other.excluded.get(r, 0) for r in reasons}),
        )
