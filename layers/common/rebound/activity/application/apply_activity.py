"""Applying what was said of events: once by event, in any order, whoever dies and whatever comes twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.activity.domain.summary import summarised, summarised_on
from rebound.activity.domain.words import WAIT_OVER, WAITS, Cell, Pointer, Told, time_of_stamp
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.kernel.retrying import retried
from rebound.timers.domain import Timer

if TYPE_CHECKING:
    from rebound.activity.domain.summary import Summary
    from rebound.activity.domain.words import ActivityTask, Place, Word
    from rebound.activity.ports import ActivityBook, Listener, Watcher
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory
    from rebound.customers.ports import CustomerBook
    from rebound.platform.ports import Clock, Patience
    from rebound.timers.ports import TimerBook

ATTEMPTS: Final = 12
"""How often a race is lost before the queue delivers again: many may write about one customer at a time."""


class ApplyActivity(Struct, frozen=True, kw_only=True):
    """Applies a part of a request, in four steps that may each be repeated.

    1. Cells: each event is written where its last word puts it, and its former place is emptied. Cells are registers:
       of two words the one with the later stamp stays, whichever comes first.
    2. Summaries: of each customer whose cells were touched, all cells are read and folded, and the summary is written
       on the condition that nobody wrote it since before they were read. Whoever writes a cell folds afterwards, so the
       last fold has seen all cells. Then those who watch customers look at them, for the same reason.
    3. Pointers: the last word about the event, on the condition that it is the one that was read. So a pointer says
       what *is* applied; when the event was told first, and how soon after it happened at best, both of which only
       become earlier. Who loses here begins again with what is there now, and cleans up after a word that came later.
    4. Who listens is told what happened, and the part is forgotten.

    Who dies leaves a part that is applied again; words whose pointer is written are done.
    """

    activity: ActivityBook
    businesses: BusinessDirectory
    refold: Refold
    listeners: Sequence[Listener]
    watchers: Sequence[Watcher]
    patience: Patience

    def __call__(self, task: ActivityTask) -> int:
        """Apply a part; how many words it had. Raises ``ConcurrentChangeError`` when others are always faster."""
        words = self.activity.staged(task)
        try:
            business = self.businesses.get(task.business_id)
        except NotFoundError:
            # Nobody is there whose customers they could be.
            self.activity.unstage(task)
            return 0
        # Of several words about one event in a request, the last one holds.
        last = {word.event_id: word for word in sorted(words, key=lambda word: word.stamp)}
        self._tell(business, last.values(), self._apply(business, last))
        self.activity.unstage(task)
        return len(words)

    def _tell(self, business: Business, words: Iterable[Word], pointers: Mapping[str, Pointer]) -> None:
        """Tell who listens what has happened with each customer, all at once; told again when the part comes again."""
        if not self.listeners:
            return
        happened: dict[str, list[Told]] = {}
        for word in words:
            if word.customer_id is not None and word.event is not None and word.delay is not None:
                soonest = pointers[word.event_id].delay
                told = Told(word.event, word.delay, word.delay if soonest is None else min(soonest, word.delay))
                happened.setdefault(word.customer_id, []).append(told)
        if happened:
            for hear in self.listeners:
                hear(business, happened)

    def _apply(self, business: Business, words: Mapping[str, Word]) -> Mapping[str, Pointer]:
        """Apply words; what is said of their events then."""
        as_of_now = False
        applied: dict[str, Pointer] = {}
        for attempt in range(1, ATTEMPTS + 1):
            pointers = self.activity.pointers(business.business_id, words, as_of_now=as_of_now)
            applied |= pointers
            words, after = self._written(business, words, pointers)
            applied |= after
            if not words:
                return applied
            as_of_now = True
            self.patience.wait(attempt)
        raise ConcurrentChangeError

    def _written(
        self, business: Business, words: Mapping[str, Word], pointers: Mapping[str, Pointer]
    ) -> tuple[Mapping[str, Word], Mapping[str, Pointer]]:
        """Apply words over the pointers that were read; those that somebody was faster with, and the new pointers."""
        undone = [word for id_, word in words.items() if id_ not in pointers or pointers[id_].stamp != word.stamp]
        touched: dict[str, None] = {}
        for word in undone:
            for place, cell in _cells(word, pointers.get(word.event_id)):
                self.activity.set_cell(business.business_id, place.customer_id, cell)
                touched[place.customer_id] = None
        for customer_id in touched:
            self.refold(business.business_id, business.time_zone, customer_id)
            for look_at in self.watchers:
                look_at(business, customer_id)
        beaten: dict[str, Word] = {}
        written: dict[str, Pointer] = {}
        for word in undone:
            read = pointers.get(word.event_id)
            after = Pointer.after(word, read)
            if after == read:
                continue
            try:
                self.activity.point(business.business_id, after, read=read)
            except ConcurrentChangeError:
                beaten[word.event_id] = word
            else:
                written[word.event_id] = after
        return beaten, written


def _cells(word: Word, read: Pointer | None) -> Iterable[tuple[Place, Cell]]:
    """What to write for a word, where the last word that was applied is ``read``.

    A word that was overtaken leaves nothing where it may have written something before it died.
    """
    places = {place for place in (word.place, None if read is None else read.place) if place is not None}
    last = word if read is None or read.stamp < word.stamp else None
    stamp = word.stamp if last is not None or read is None else read.stamp
    kept = word.place if last is not None else None if read is None else read.place
    for place in sorted(places, key=lambda place: (place.customer_id, place.at)):
        if place != kept:
            yield place, Cell(word.event_id, place.at, stamp)
        elif last is not None:
            yield place, Cell(word.event_id, place.at, stamp, word.event, word.external)


class Refold(Struct, frozen=True, kw_only=True):
    """Makes a customer's summary anew of all that is kept of them."""

    activity: ActivityBook
    customers: CustomerBook
    timers: TimerBook
    clock: Clock
    patience: Patience

    def __call__(self, business_id: str, zone: str, customer_id: str, erase_until: str = "") -> None:
        """Fold in the calendar of a zone, and erase what is to be erased. Raises ``ConcurrentChangeError``.

        ``erase_until`` is the stamp up to which all is erased from now on.
        """
        retried(
            lambda: self._fold(business_id, zone, customer_id, erase_until),
            attempts=ATTEMPTS,
            lost=self.patience.wait,
        )

    def _fold(self, business_id: str, zone: str, customer_id: str, erase_until: str) -> None:
        kept = self.activity.read(business_id, customer_id)
        erased = max(kept.erased, erase_until)
        gone = [cell for cell in kept.cells if cell.stamp <= erased]
        cells = [cell for cell in kept.cells if cell.stamp > erased and cell.event is not None]
        if cells and (erase_until or kept.summary is None) and not self._is_known(business_id, customer_id):
            # Whom the business names by its own id may come yet. An id of ours is that of somebody who was deleted.
            gone += [cell for cell in cells if not cell.external]
            cells = [cell for cell in cells if cell.external]
            self._wait(business_id, customer_id, cells)
        summary = self._summary(zone, cells, kept.summary)
        if summary != kept.summary or erased != kept.erased:
            self.activity.save_summary(
                business_id, customer_id, summary, read=kept.version, erased=erased, before=kept.summary
            )
        # After the summary, so that nothing is gone that is still counted.
        self.activity.erase(business_id, customer_id, gone)

    def _summary(self, zone: str, cells: Sequence[Cell], before: Summary | None) -> Summary | None:
        events = [cell.event for cell in cells if cell.event is not None]
        if not events:
            return None
        # As it was, unless something has changed: a part that comes twice writes nothing.
        if before is not None and before == summarised_on(events, zone, before.written_on):
            return before
        return summarised(events, zone, self.clock.now())

    def _is_known(self, business_id: str, customer_id: str) -> bool:
        return bool(self.customers.external_ids(business_id, [customer_id], as_of_now=True))

    def _wait(self, business_id: str, customer_id: str, cells: Sequence[Cell]) -> None:
        if cells:
            until = time_of_stamp(min(cell.stamp for cell in cells)) + WAITS
            self.timers.put([Timer(until, WAIT_OVER, f"{business_id}#{customer_id}")])
