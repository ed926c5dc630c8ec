"""What is handed to a provider, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

if TYPE_CHECKING:
    from rebound.kernel.receipts import MessageKey
    from rebound.messages.domain.rendering import RenderedEmail


class Accepted(Struct, frozen=True):
    """The provider has it."""

    provider_id: str


class Refused(Struct, frozen=True):
    """The provider does not take it, and says why; it has not gone out."""

    code: str
    detail: str | None = None


TOO_FAST: Final = frozenset({"ACCOUNT_THROTTLED", "20429", "Rate exceeded"})
"""What SES, Twilio and SNS call it when more was sent than a second allows."""


class Throttled(Struct, frozen=True):
    """The provider asks to come again; it has not gone out. ``daily`` when the allowance of the day is used up."""

    code: str
    daily: bool = False

    @property
    def slows_down(self) -> bool:
        """Whether it is about how fast, or how much, was sent; otherwise it was something else that will pass."""
        return self.daily or self.code in TOO_FAST


class Unknown(Struct, frozen=True):
    """No telling whether it has gone out: the connection broke, or the provider failed inside."""

    detail: str


SendResult = Accepted | Refused | Throttled | Unknown


class OutgoingEmail(Struct, frozen=True):
    """One email of a batch. ``headers`` are this recipient's own, such as List-Unsubscribe."""

    key: MessageKey
    to: str
    content: RenderedEmail
    headers: Mapping[str, str] = field(default_factory=dict)
