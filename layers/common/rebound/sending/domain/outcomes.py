"""What becomes of each recipient of a chunk in one attempt at it, and how the attempt ends because of that."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct, field

from rebound.customers.domain import Customer
from rebound.eligibility.domain.eligibility import Hold
from rebound.messages.domain.messages import Message
from rebound.rates.domain import Throttled
from rebound.sending.domain.chunk_tasks import LONGEST_DELAY
from rebound.sending.domain.recipients import Recipient, Refused

NO_DELAY: Final = timedelta()
FIRST_DELAY: Final = timedelta(seconds=1)
"""Doubled with each attempt at a chunk."""
AFTER_A_STOP: Final = timedelta(seconds=3)
"""By then every worker knows that the account is stopped and until when, and waits for it (``AcquireSendSlot``)."""


class NotTried(StrEnum):
    """Why a recipient who may be sent to was not tried."""

    UNBOOKED = "unbooked"
    """The rate was booked for fewer recipients: others waited for a later hour, which has come as well."""
    LISTED = "listed"
    """There was no time to take the address off the provider's suppression list."""


class KeptBack(Struct, frozen=True):
    """Refused for a fault of the sender. It has failed, unless the campaign pauses for that and a resume sends it."""

    recipient: Recipient
    refused: Refused


class PlanExhausted(Struct, frozen=True):
    """The text plan has no room for the text. It goes by email, or its recipient is left out."""

    recipient: Recipient


class Settled(Struct, frozen=True):
    """Nothing is left to do here: another worker has the message, or a receipt brings its outcome."""


Outcome = Recipient | Message | Hold | Throttled | KeptBack | PlanExhausted | NotTried | Settled
"""A ``Recipient`` is still to be sent to, a ``Message`` is to be recorded, a ``Hold`` defers."""


class Outcomes(Struct):
    """The one outcome that each recipient of a chunk has so far."""

    by_customer: dict[str, Outcome] = field(default_factory=dict)
    customers: Mapping[str, Customer] = field(default_factory=dict)
    """Those of whom it was decided, as they were read."""
    pause_because: str | None = None
    """Why the campaign is to pause, as a sentence for people."""

    def __setitem__(self, recipient: Recipient, outcome: Outcome) -> None:
        """Note what becomes of a recipient, instead of what was noted before."""
        self.by_customer[recipient.customer_id] = outcome

    def of[T](self, kind: type[T]) -> list[T]:
        """All outcomes of a kind."""
        return [outcome for outcome in self.by_customer.values() if isinstance(outcome, kind)]

    @property
    def to_send(self) -> Sequence[Recipient]:
        """Those who are still to be sent to, in their order."""
        return self.of(Recipient)

    @property
    def without_room(self) -> Sequence[Recipient]:
        """Those for whom the text plan has no room."""
        return [outcome.recipient for outcome in self.of(PlanExhausted)]

    @property
    def kept_from_sending(self) -> Sequence[str]:
        """Those whom a decision has left out or deferred."""
        return [customer_id for customer_id, outcome in self.by_customer.items() if isinstance(outcome, Message | Hold)]

    @property
    def left(self) -> Sequence[str]:
        """The recipients for whom the chunk is still needed: they come again unless they are sent to."""
        return [c for c, outcome in self.by_customer.items() if not isinstance(outcome, Message | Settled)]

    @property
    def come_again(self) -> Sequence[str]:
        """The recipients of ``left`` to whom this attempt does not send."""
        return [c for c in self.left if not isinstance(self.by_customer[c], Recipient)]

    @property
    def held(self) -> dict[str, Hold]:
        """Those who are deferred to their hour."""
        return {c: outcome for c, outcome in self.by_customer.items() if isinstance(outcome, Hold)}

    def retry_after(self, attempts: int) -> timedelta:
        """The delay before the chunk comes again after ``attempts`` attempts, unless all left wait for their hour."""
        throttles = self.of(Throttled)
        if any(throttled.daily for throttled in throttles):
            return AFTER_A_STOP
        if throttles or NotTried.LISTED in self.of(NotTried):
            return min(FIRST_DELAY * (1 << min(attempts, 10)), LONGEST_DELAY)
        return NO_DELAY
