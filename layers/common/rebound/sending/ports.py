"""What sending need from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rebound.campaigns.ports import CampaignsPorts

if TYPE_CHECKING:
    from rebound.application.ports import ChunkQueue, HeldQueue, Mailer, ReceiptQueue, Texter


class SendingPorts(CampaignsPorts, Protocol):
    """What the use cases of sending need from outside."""

    @property
    def chunk_queue(self) -> ChunkQueue: ...

    @property
    def held_queue(self) -> HeldQueue: ...

    @property
    def mailer(self) -> Mailer: ...

    @property
    def twilio_texter(self) -> Texter: ...

    @property
    def sns_texter(self) -> Texter: ...

    @property
    def receipt_queue(self) -> ReceiptQueue: ...

    @property
    def worth_a_range(self) -> int:
        """Customers for whom an invocation of their own pays."""

    def chance(self) -> float:
        """A random number from 0 up to 1."""
