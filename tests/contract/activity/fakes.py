"""Events and summaries in memory."""

from collections.abc import Collection, Mapping, Sequence
from copy import replace
from datetime import datetime
from functools import cached_property

from rebound.activity.adapters.activity_queue import ClockStamps
from rebound.activity.domain.events import Event
from rebound.activity.domain.summary import Summary
from rebound.activity.domain.words import ActivityTask, Cell, Kept, Place, Placed, Pointer, Word
from rebound.activity.ports import MOST_LOCATIONS, Stamps
from rebound.kernel.errors import ConcurrentChangeError
from rebound.kernel.pages import Page
from tests.contract.customers.fakes import MemoryCustomersPorts
from tests.contract.platform.fakes import FakeClock
from tests.contract.timers.fakes import MemoryTimersPorts
from tests.fakes.cursors import page_of, read_cursor
from tests.fakes.queues import MemoryQueue

type Owner = tuple[str, str]


class MemoryActivityBook:
    """Implements ``ActivityBook``."""

    def __init__(self) -> None:
        self.parts: dict[ActivityTask, Sequence[Word]] = {}
        self.kept: dict[Owner, Kept] = {}
        self.cells: dict[Owner, dict[tuple[str, str], Cell]] = {}
        self.leads: dict[Owner, Pointer] = {}
        self.placed: dict[Owner, dict[str, datetime | None]] = {}
        self.heard_of: set[Owner] = set()

    def stage(self, task: ActivityTask, words: Sequence[Word]) -> None:
        self.parts[task] = tuple(words)

    def staged(self, task: ActivityTask) -> Sequence[Word]:
        return self.parts.get(task, ())

    def unstage(self, task: ActivityTask) -> None:
        self.parts.pop(task, None)

    def pointers(
        self, business_id: str, event_ids: Collection[str], *, as_of_now: bool = False
    ) -> Mapping[str, Pointer]:
        found = {event_id: self.leads.get((business_id, event_id)) for event_id in event_ids}
        return {event_id: pointer for event_id, pointer in found.items() if pointer is not None}

    def point(self, business_id: str, pointer: Pointer, *, read: Pointer | None) -> None:
        stored = self.leads.get((business_id, pointer.event_id))
        if (stored and (stored.stamp, stored.first, stored.soonest)) != (
            read and (read.stamp, read.first, read.soonest)
        ):
            raise ConcurrentChangeError
        self.leads[business_id, pointer.event_id] = pointer

    def set_cell(self, business_id: str, customer_id: str, cell: Cell) -> None:
        cells = self.cells.setdefault((business_id, customer_id), {})
        stored = cells.get(_entry(cell))
        if stored is None or stored.stamp < cell.stamp:
            cells[_entry(cell)] = cell

    def read(self, business_id: str, customer_id: str) -> Kept:
        owner = (business_id, customer_id)
        cells = self.cells.get(owner, {})
        return replace(self.kept.get(owner, Kept()), cells=[cells[entry] for entry in sorted(cells)])

    def known_of(self, business_id: str, customer_ids: Collection[str]) -> frozenset[str]:
        return frozenset(
            each for each in customer_ids if self.kept.get((business_id, each), Kept()).summary is not None
        )

    def since(self, business_id: str, customer_id: str, at: datetime) -> Sequence[Cell]:
        return [cell for cell in self.read(business_id, customer_id).cells if cell.at >= at]

    def erase(self, business_id: str, customer_id: str, cells: Collection[Cell]) -> None:
        stored = self.cells.get((business_id, customer_id), {})
        for cell in cells:
            pointer = self.leads.get((business_id, cell.event_id))
            if pointer is not None and pointer.place == Place(customer_id, cell.at):
                del self.leads[business_id, cell.event_id]
            if _entry(cell) in stored and stored[_entry(cell)].stamp == cell.stamp:
                del stored[_entry(cell)]

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
        owner = (business_id, customer_id)
        if self.kept.get(owner, Kept()).version != read:
            raise ConcurrentChangeError
        self.kept[owner] = Kept(summary=summary, version=read + 1, erased=erased)
        for name in {} if before is None else before.places:
            self.placed[business_id, name].pop(customer_id, None)
        for name, until in ({} if summary is None else summary.places).items():
            self.placed.setdefault((business_id, name), {})[customer_id] = until
            self.heard_of.add((business_id, name))

    def page(self, business_id: str, customer_id: str, limit: int, cursor: str | None) -> Page[Event]:
        before = read_cursor(cursor)
        cells = self.cells.get((business_id, customer_id), {})
        found = [("#".join(entry), cell.event) for entry, cell in sorted(cells.items(), reverse=True)]
        return page_of(
            [(entry, event) for entry, event in found if event is not None and (before is None or entry < before)],
            limit,
        )


def _entry(cell: Cell) -> tuple[str, str]:
    return cell.at.isoformat(timespec="microseconds"), cell.event_id


class MemorySummaryBook:
    """Implements ``SummaryBook``; a test may put summaries into ``given``."""

    def __init__(self, book: MemoryActivityBook) -> None:
        self._book = book
        self.given: dict[Owner, Summary] = {}

    def get_many(self, business_id: str, customer_ids: Collection[str]) -> Mapping[str, Summary]:
        return {customer_id: self._of((business_id, customer_id)) for customer_id in customer_ids}

    def at_location(self, business_id: str, location_id: str, after: str | None, limit: int) -> Sequence[Placed]:
        found = sorted(self._book.placed.get((business_id, location_id), {}).items())
        return [Placed(*each) for each in found if after is None or each[0] > after][:limit]

    def locations(self, business_id: str) -> Sequence[str]:
        return sorted(name for own, name in self._book.heard_of if own == business_id)[:MOST_LOCATIONS]

    def _of(self, owner: Owner) -> Summary:
        found = self.given.get(owner) or self._book.kept.get(owner, Kept()).summary
        return Summary.empty() if found is None else found


class MemoryActivityQueue:
    """Implements ``ActivityQueue``."""

    def __init__(self, clock: FakeClock) -> None:
        self.queue: MemoryQueue[ActivityTask] = MemoryQueue(clock)

    def put(self, tasks: Sequence[ActivityTask]) -> None:
        for task in tasks:
            self.queue.send(task)


class MemoryActivityPorts(MemoryCustomersPorts, MemoryTimersPorts):
    """Implements ``ActivityPorts``."""

    @cached_property
    def activity(self) -> MemoryActivityBook:
        return MemoryActivityBook()

    @cached_property
    def summaries(self) -> MemorySummaryBook:
        return MemorySummaryBook(self.activity)

    @cached_property
    def activity_queue(self) -> MemoryActivityQueue:
        return MemoryActivityQueue(self.clock)

    @cached_property
    def stamps(self) -> Stamps:
        return ClockStamps(self.clock, self.ids)
