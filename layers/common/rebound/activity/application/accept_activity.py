"""Taking what clients say of events, and what is kept of a customer's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import batched
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.activity.domain.checking import NO_SUCH_CUSTOMER, EventError, ReadingContext, checked_event, named_customer
from rebound.activity.domain.words import ActivityTask, Word
from rebound.kernel.errors import FieldError
from rebound.kernel.ids import id_of_external
from rebound.kernel.written_text import tidied

if TYPE_CHECKING:
    from rebound.activity.domain.events import Event
    from rebound.activity.domain.summary import Summary
    from rebound.activity.ports import ActivityBook, ActivityQueue, Stamps, SummaryBook
    from rebound.businesses.ports import BusinessDirectory
    from rebound.customers.domain import Customer
    from rebound.customers.ports import CustomerBook
    from rebound.kernel.pages import Page
    from rebound.platform.ports import Clock, Ids

PART: Final = 50
"""Events that are kept, and then applied, together."""


class Accepted(Struct, frozen=True):
    """What became of a request: how many words will be applied, how many were known, and what is wrong where."""

    accepted: int
    known: int
    errors: Sequence[tuple[int, FieldError]]


class AcceptActivity(Struct, frozen=True, kw_only=True):
    """Takes up to 500 events of a business. What is said later holds, whatever is applied first.

    An event that says what is applied already is known.
    """

    activity: ActivityBook
    activity_queue: ActivityQueue
    businesses: BusinessDirectory
    customers: CustomerBook
    stamps: Stamps
    ids: Ids
    clock: Clock

    def __call__(self, business_id: str, given: Sequence[object]) -> Accepted:
        """Check all, and put those on their way that are right."""
        context = ReadingContext(self.businesses.get(business_id).time_zone, self.clock.now())
        words: dict[int, Word] = {}
        unknown = self._unknown(business_id, given)
        errors = [(index, FieldError("customer_id", NO_SUCH_CUSTOMER)) for index in unknown]
        stamps = self.stamps.next(len(given))
        for index, each in enumerate(given):
            try:
                event = checked_event(each, index, context)
            except EventError as error:
                errors += [(index, flaw) for flaw in error.errors]
                continue
            if index not in unknown:
                words[index] = _word(business_id, event, each, stamps[index])
        known = self._known(business_id, words)
        self._enqueue(business_id, list(words.values()))
        return Accepted(len(words) - known, known, sorted(errors, key=lambda error: error[0]))

    def take_back(self, business_id: str, event_id: str) -> None:
        """Put on its way that an event did not happen, also one that is on its way itself."""
        [stamp] = self.stamps.next(1)
        self._enqueue(business_id, [Word(event_id, stamp)])

    def _unknown(self, business_id: str, given: Sequence[object]) -> frozenset[int]:
        """Those that name by our id somebody who is not there."""
        named = {index: id_ for index, each in enumerate(given) if (id_ := named_customer(each)) is not None}
        known = self.customers.external_ids(business_id, sorted(set(named.values()))) if named else {}
        return frozenset(index for index, customer_id in named.items() if customer_id not in known)

    def _known(self, business_id: str, words: Mapping[int, Word]) -> int:
        """How many say what is applied.

        They are words all the same: what they repeat may have been said otherwise by one that is still on its way.
        """
        pointers = self.activity.pointers(business_id, {word.event_id: None for word in words.values()})
        said = {event_id: pointer.digest for event_id, pointer in pointers.items()}
        return sum(said.get(word.event_id) == word.digest for word in words.values())

    def _enqueue(self, business_id: str, words: Sequence[Word]) -> None:
        batch_id = self.ids.ulid(self.clock.now())
        tasks = []
        for part, some in enumerate(batched(words, PART, strict=False)):
            tasks.append(ActivityTask(business_id, batch_id, part))
            self.activity.stage(tasks[-1], some)
        self.activity_queue.put(tasks)


def _word(business_id: str, event: Event, given: Any, stamp: str) -> Word:
    customer_id = named_customer(given)
    if customer_id is not None:
        return Word(event.event_id, stamp, customer_id, event)
    customer_id = id_of_external(business_id, tidied(given["external_id"]))
    return Word(event.event_id, stamp, customer_id, event, external=True)


class ReadActivity(Struct, frozen=True, kw_only=True):
    """What is known of what a customer did."""

    customers: CustomerBook
    activity: ActivityBook
    summaries: SummaryBook

    def events(self, business_id: str, customer_id: str, limit: int, cursor: str | None) -> Page[Event]:
        """The events, the newest first. Raises ``NotFoundError``."""
        self.customers.get(business_id, customer_id)
        return self.activity.page(business_id, customer_id, limit, cursor)

    def both(
        self, business_id: str, customer_id: str, limit: int, cursor: str | None
    ) -> tuple[Customer, Summary, Page[Event]]:
        """The customer, the summary and the events, the newest first. Raises ``NotFoundError``."""
        customer, summary = self.summary(business_id, customer_id)
        return customer, summary, self.activity.page(business_id, customer_id, limit, cursor)

    def summary(self, business_id: str, customer_id: str) -> tuple[Customer, Summary]:
        """The customer and the summary. Raises ``NotFoundError``."""
        customer = self.customers.get(business_id, customer_id)
        return customer, self.summaries.get_many(business_id, [customer_id])[customer_id]
