"""What the use cases of activity need from outside."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

from rebound.activity.domain.events import Event
from rebound.activity.domain.summary import Summary
from rebound.activity.domain.words import ActivityTask, Cell, Kept, Placed, Pointer, Told, Word
from rebound.businesses.domain.business import Business
from rebound.customers.ports import CustomersPorts
from rebound.kernel.pages import Page
from rebound.timers.ports import TimersPorts

MOST_LOCATIONS: Final = 100
type Listener = Callable[[Business, Mapping[str, Sequence[Told]]], None]
"""Hears what happened with each customer of a business, by the customer's id; it may be told again."""

type Watcher = Callable[[Business, str], None]
"""Learns that what is kept of a customer of a business has changed, by the customer's id.

The change holds already; whoever dies here, or before, learns it again.
"""


class SummaryBook(Protocol):
    """The summaries of customers, for who asks about them."""

    def get_many(self, business_id: str, customer_ids: Collection[str]) -> Mapping[str, Summary]:
        """That of each of these customers, ``Summary.empty()`` for who has none; eventually consistent.

        One item a customer, a hundred a request.
        """

    def at_location(self, business_id: str, location_id: str, after: str | None, limit: int) -> Sequence[Placed]:
        """Up to ``limit`` of who visited a location or had bookings there (``Summary.places``), by customer id.

        After an id; shorter than ``limit`` only at the end. One request, eventually consistent. Some may be no
        customers yet, or any more.
        """

    def locations(self, business_id: str) -> Sequence[str]:
        """The locations that were ever heard of, by name, the first ``MOST_LOCATIONS``; eventually consistent."""


class ActivityBook(Protocol):
    """The events of customers, and the summaries made of them. Each write stands alone and may be repeated."""

    def stage(self, task: ActivityTask, words: Sequence[Word]) -> None:
        """Keep a part of a request until it is applied."""

    def staged(self, task: ActivityTask) -> Sequence[Word]:
        """The words of a part; none when it was applied. Strongly consistent."""

    def unstage(self, task: ActivityTask) -> None:
        """Forget a part that was applied."""

    def pointers(
        self, business_id: str, event_ids: Collection[str], *, as_of_now: bool = False
    ) -> Mapping[str, Pointer]:
        """The last words about events that were applied; eventually consistent unless ``as_of_now``."""

    def point(self, business_id: str, pointer: Pointer, *, read: Pointer | None) -> None:
        """Write a pointer in place of the one that was ``read``; ``None`` for none.

        Raises ``ConcurrentChangeError`` where it says something else now of when the event was told.
        """

    def set_cell(self, business_id: str, customer_id: str, cell: Cell) -> None:
        """Write a cell; does nothing where the one of this place has the same stamp or a later one."""

    def read(self, business_id: str, customer_id: str) -> Kept:
        """Everything of a customer; strongly consistent, and the cells no older than the summary's version."""

    def known_of(self, business_id: str, customer_ids: Collection[str]) -> frozenset[str]:
        """Those of whom there is a summary, and so an event; strongly consistent.

        One item a customer, a hundred a request.
        """

    def since(self, business_id: str, customer_id: str, at: datetime) -> Sequence[Cell]:
        """The cells of what happened with a customer at a time or later, in its order; strongly consistent."""

    def erase(self, business_id: str, customer_id: str, cells: Collection[Cell]) -> None:
        """Remove cells, as far as they are as they were read, with the pointers that lead to them."""

    def save_summary(
        self,
        business_id: str,
        customer_id: str,
        summary: Summary | None,
        *,
        read: int,
        erased: str = "",
        before: Summary | None = None,
    ) -> None:
        """Write a customer's summary, on the condition that its version still is the one that was ``read``.

        0 is the version of none. Without a summary, no event is left. ``before`` is the summary that was read: where
        the customer is looked for at other locations than by that one, this is written in the same transaction. Raises
        ``ConcurrentChangeError``.
        """

    def page(self, business_id: str, customer_id: str, limit: int, cursor: str | None) -> Page[Event]:
        """The events of a customer, the newest first."""


class ActivityQueue(Protocol):
    """Parts of requests that wait to be applied."""

    def put(self, tasks: Sequence[ActivityTask]) -> None:
        """Enqueue; may deliver twice, and in any order."""


class Stamps(Protocol):
    """Names of moments, by which words are ordered."""

    def next(self, count: int) -> Sequence[str]:
        """So many stamps, each later than the one before and than all that this process has given."""


class ActivityPorts(CustomersPorts, TimersPorts, Protocol):
    """What the use cases of activity need from outside."""

    @property
    def activity(self) -> ActivityBook: ...

    @property
    def summaries(self) -> SummaryBook: ...

    @property
    def activity_queue(self) -> ActivityQueue: ...

    @property
    def stamps(self) -> Stamps: ...
