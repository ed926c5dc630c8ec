"""A campaign: what is sent to whom, and where it stands."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.labels import FAULT, FINAL, HARD_BOUNCE, in_window
from rebound.messages.domain.mailing import Content, Mailing
from rebound.messages.domain.messages import Message, MessageStatus


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


class Campaign(Mailing, frozen=True, kw_only=True):
    """The definition of a send and its state.

    ``run_id`` is fixed when the campaign is planned, so that the client log sorts by the time of sending. ``filter`` of
    the selection is likewise filled from the segment at that time: a segment that is changed later does not change a
    campaign under way. A ``single`` one is no campaign to clients; it may be about an appointment of the client's
    (``appointment_id``). ``paused_because`` is there only while it is paused and
    nobody paused it. ``window`` counts the resumes: what was sent before one says nothing about the time after it.
    ``bounce_warning`` is what was known when so much bounced that somebody should look, for the first time.
    ``rollback`` is the latest that was asked for.
    ``version`` counts the writes of the stored row, 0 for none yet.
    """

    campaign_id: str
    name: str
    content: Content
    created_at: datetime
    status: CampaignStatus
    ranges: int = 1
    started_at: datetime | None = None
    completed_at: datetime | None = None
    failure: str | None = None
    appointment_id: str | None = None
    paused_because: str | None = None
    window: int = 0
    bounce_warning: FinalWords | None = None
    rollback: Rollback | None = None
    version: int = 0


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
    )


def final_words(counts: Mapping[str, int], window: int) -> FinalWords:
    """What the counts of a campaign say of one of its windows."""
    return FinalWords(*(counts.get(in_window(marker, window), 0) for marker in (FINAL, FAULT, HARD_BOUNCE)))
