"""What a business's software tells sequences in names of its own."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.activity.domain.checking import HAPPENED_WITHIN
from rebound.kernel.errors import FieldError, InvalidInputError, NotFoundError
from rebound.sequences.application.hear_activity import TOLD_WITHIN
from rebound.sequences.domain.happenings import Happened, Kind
from rebound.sequences.domain.tasks import Told

if TYPE_CHECKING:
    from rebound.customers.ports import CustomerBook
    from rebound.platform.ports import Clock
    from rebound.sequences.application.tell import TellSequences

_WHEN: Final = (
    "Must be at most two days before now and at most one day from now: what happened earlier starts and ends nothing."
)


class CustomEvent(Struct, frozen=True, kw_only=True):
    """Something that happened with a customer at a time, under a ``name`` that triggers, exits and waits have.

    ``event_id`` is the client's own, without ``#``: under one name the same is told again.
    """

    name: str
    event_id: str
    at: datetime


class TellCustom(Struct, frozen=True, kw_only=True):
    """Tells every sequence of a business of an event of its own; again changes nothing."""

    tell: TellSequences
    customers: CustomerBook
    clock: Clock

    def __call__(self, business_id: str, customer_id: str, event: CustomEvent, field: str) -> int:
        """Tell; how many sequences that are on have its name, as they are published now.

        Raises ``InvalidInputError``, with ``field`` for a customer who is not there. Two reads, and a request to the
        queue where somebody may hear it.
        """
        now = self.clock.now()
        if not now - TOLD_WITHIN <= event.at <= now + HAPPENED_WITHIN:
            raise InvalidInputError(FieldError("at", _WHEN))
        try:
            self.customers.get(business_id, customer_id)
        except NotFoundError:
            raise InvalidInputError(FieldError(field, "There is no such customer.")) from None
        happened = Happened(
            kind=Kind.CUSTOM, key=f"custom#{event.name}#{event.event_id}", at=event.at, about={"name": event.name}
        )
        saved = self.tell.hearing(business_id, happened)
        if saved:
            self.tell.put(business_id, [Told(customer_id, happened)])
        return sum(each.is_on and each.definition.hears(happened) for each in saved)
