"""What the use cases of sending need from outside."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from rebound.campaigns.ports import CampaignsPorts
from rebound.kernel.channels import Channel
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey, Receipt
from rebound.rates.domain import Lane
from rebound.sending.domain.chunk_tasks import ChunkTask, DeferredChunkTask
from rebound.sending.domain.recipients import OutgoingEmail, SendResult
from rebound.timers.ports import TimersPorts


class ChunkQueue(Protocol):
    """Hands chunks to the workers of a channel, each in its lane."""

    def put(self, channel: Channel, tasks: Sequence[ChunkTask], delay: timedelta = timedelta()) -> None:
        """Enqueue; every task is on its lane's queue when this returns. At most 15 minutes of delay."""

    def waiting(self, channel: Channel, lane: Lane) -> int:
        """About how many chunks wait in a lane."""


class DeferredChunkQueue(Protocol):
    """Keeps chunks whose recipients all wait for their hour off the lanes, which are for chunks that may be sent."""

    def put(self, held: Sequence[DeferredChunkTask], now: datetime) -> None:
        """Enqueue; each comes back after one round (``round_from``) and must be put again if its hour has not come."""


class ReceiptQueue(Protocol):
    """The one queue for the outcomes of messages."""

    def put(self, receipt: Receipt) -> None:
        """Enqueue a receipt of our own, without personal data."""


class Mailer(Protocol):
    """Sends email."""

    def send(self, sender: str, emails: Sequence[OutgoingEmail], reply_to: str | None = None) -> Sequence[SendResult]:
        """Hand over up to 50 emails in one call; one result for each, in order. Never tries anything twice.

        ``sender`` is an address with or without a name, as a From line has it. Answers go to ``reply_to``, or to the
        sender.
        """


class Texter(Protocol):
    """Sends texts of one provider."""

    @property
    def provider(self) -> Provider:
        """The provider that carries the texts."""

    def send(
        self, sender: str | None, key: MessageKey, to: str, body: str, valid_for: timedelta | None = None
    ) -> SendResult:
        """Hand over one text. Never tries anything twice.

        Where the provider supports it, it drops the text rather than deliver it later than ``valid_for`` from now.
        """


class SendingPorts(CampaignsPorts, TimersPorts, Protocol):
    """What the use cases of sending need from outside."""

    @property
    def chunk_queue(self) -> ChunkQueue: ...

    @property
    def deferred_queue(self) -> DeferredChunkQueue: ...

    @property
    def mailer(self) -> Mailer: ...

    def texter(self, provider: Provider) -> Texter:
        """The ``Texter`` of a provider that carries texts."""

    @property
    def receipt_queue(self) -> ReceiptQueue: ...

    @property
    def worth_a_range(self) -> int:
        """How many customers make a range of their own worth its cost."""

    def chance(self) -> float:
        """A random number from 0 up to 1."""
