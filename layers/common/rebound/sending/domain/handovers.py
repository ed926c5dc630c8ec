"""What is handed to a provider, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from rebound.rates.domain import Throttled

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


class Unknown(Struct, frozen=True):
    """No telling whether it has gone out: the connection broke, or the provider failed inside."""

    detail: str


SendResult = Accepted | Refused | Throttled | Unknown
NOT_OUT: Final = (Refused, Throttled)
"""The results after which it is known that nothing has gone out."""


class OutgoingEmail(Struct, frozen=True):
    """One email of a batch. ``headers`` are this recipient's own, such as List-Unsubscribe."""

    key: MessageKey
    to: str
    content: RenderedEmail
    headers: Mapping[str, str] = field(default_factory=dict)
