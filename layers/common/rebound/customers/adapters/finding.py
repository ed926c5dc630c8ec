"""One page of customers, found by the rows of the index and told apart by what the customers are now."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING, Final, Protocol

from rebound.customers.adapters.index_entries import STALE_AFTER, Entry, entries_of, walk_of
from rebound.customers.application.finding import external_ids_typed, is_found
from rebound.customers.domain import Customer, PageMatcher, Question
from rebound.kernel.pages import Page, not_a_cursor, read_bound_cursor, write_bound_cursor

if TYPE_CHECKING:
    from rebound.customers.adapters.index_entries import Walk


class IndexRows(Protocol):
    """The table, as far as a page of it needs it."""

    def walk(self, walk: Walk, after: str | None, limit: int | None) -> tuple[Sequence[Entry], str | None]:
        """Rows of one request behind an entry, those left out that the walk does not keep; and where to go on."""

    def remove(self, entries: Collection[Entry]) -> None:
        """Remove rows, if they are there."""


type Stored = tuple[Customer, str | None]
"""A customer, and the stamps that their row keeps."""
type ReadStored = Callable[[Collection[tuple[str, str]]], Mapping[str, Stored]]

MOST_REQUESTS: Final = 5
"""Those that a list may make, but for the one that reads the settings."""
CONTACTS_OF_ONE: Final = 2
MOST_KEYS: Final = 100
"""Rows that one request reads by their keys."""
MOST_REMOVED: Final = 25
"""Rows that one request removes."""
MARGIN: Final = 10
"""Rows that are read beyond a page, where some mean nothing."""
OFTEN: Final = 5
"""Of so many rows with some of the words, one is supposed to have the others as well."""
MOST_WITH_FILTER: Final = 40
"""Requests for a page of those who match a filter besides: 2,000 customers."""


class Finding:
    """The answer to one question, page by page."""

    def __init__(self, index: IndexRows, read: ReadStored, business_id: str, question: Question) -> None:
        self._index = index
        self._read = read
        self._business_id = business_id
        self._question = question
        self._walk = walk_of(business_id, question)
        self._by_id = () if question.typed is None else external_ids_typed(business_id, question.typed)
        self._asked = f"{business_id} {question}"
        self._stale: list[Entry] = []

    def page(
        self, limit: int, cursor: str | None, matching: PageMatcher | None, requests: int | None = None
    ) -> Page[Customer]:
        """The customers behind the cursor, in so many ``requests`` where a filter is asked besides."""
        at = self._place(cursor)
        requests = (requests or MOST_WITH_FILTER) if matching else _requests_for(limit)
        found: list[Customer] = []
        waiting: deque[Entry] = deque()
        is_first = cursor is None and bool(self._by_id)
        shown, more = at, self._walk is not None
        while (waiting or more or is_first) and requests:
            while self._walk is not None and more and requests > 1 and len(waiting) <= limit - len(found):
                entries, at = self._index.walk(self._walk, at, self._size(limit, requests, matching))
                requests -= 1
                waiting.extend(entries)
                more = at is not None
                if more and not waiting:
                    shown = at
            if not waiting and not is_first:
                continue
            most = MOST_KEYS - len(self._by_id)
            count = most if matching else min(limit - len(found) + MARGIN, most)
            some = [waiting.popleft() for _ in range(min(count, len(waiting)))]
            requests -= 1
            for entry, customer in self._accepted(some, matching, with_id=is_first):
                if len(found) == limit:
                    return self._done(Page(found, self._cursor(shown)), requests)
                found.append(customer)
                shown = self._start if entry is None else entry.entry
            is_first = False
            if len(found) == limit:
                break
            if some:
                shown = some[-1].entry
            if more and not waiting:
                shown = at
        is_last = not waiting and not more
        return self._done(Page(found, None if is_last else self._cursor(shown)), requests)

    @property
    def _start(self) -> str | None:
        if self._walk is None:
            return None
        return self._walk.behind if self._walk.backwards else self._walk.first

    def _place(self, cursor: str | None) -> str | None:
        at = read_bound_cursor(cursor, self._asked)
        if at is not None and (self._walk is None or not self._walk.first <= at <= self._walk.behind):
            raise not_a_cursor()
        return at

    def _cursor(self, shown: str | None) -> str | None:
        place = shown or self._start
        return None if place is None else write_bound_cursor(self._asked, place)

    def _size(self, limit: int, requests: int, matching: PageMatcher | None) -> int | None:
        """How many rows one request reads at most; all that it can where few of them have all the words."""
        if matching is not None:
            return MOST_KEYS
        if self._walk is None or self._walk.keeps_all:
            return limit + MARGIN
        return OFTEN * (limit + MARGIN) if requests == _requests_for(limit) else None

    def _accepted(
        self, entries: Sequence[Entry], matching: PageMatcher | None, *, with_id: bool
    ) -> list[tuple[Entry | None, Customer]]:
        """Who is shown under which row; first, with none, the customer whose external id was typed."""
        ids = dict.fromkeys([*self._by_id, *(entry.customer_id for entry in entries)])
        stored = self._read([(self._business_id, customer_id) for customer_id in ids])
        meant = next((customer_id for customer_id in self._by_id if customer_id in stored), None)
        accepted: list[tuple[Entry | None, Customer]] = []
        if with_id and meant is not None:
            accepted.append((None, stored[meant][0]))
        for entry in entries:
            known = stored.get(entry.customer_id)
            own = frozenset[Entry]() if known is None else entries_of(*known)
            if entry not in own:
                self._stale.append(entry)
            elif known is not None and entry.customer_id != meant and self._shows(entry, known[0], own):
                accepted.append((entry, known[0]))
        if matching is None:
            return accepted
        matched = {customer.customer_id for customer in matching([customer for _, customer in accepted])}
        return [each for each in accepted if each[1].customer_id in matched]

    def _shows(self, entry: Entry, customer: Customer, own: Collection[Entry]) -> bool:
        """Whether a customer is shown under a row of theirs, and under no other."""
        typed = self._question.typed
        if self._walk is None or self._walk.first_of(own) != entry:
            return False
        return typed is None or is_found(customer, typed)

    def _done(self, page: Page[Customer], requests: int) -> Page[Customer]:
        """Remove rows that mean nothing, where a request is left."""
        before = datetime.now(UTC) - STALE_AFTER
        stale = [entry for entry in self._stale if entry.made_at < before][:MOST_REMOVED]
        if stale and requests:
            self._index.remove(stale)
        return page


def _requests_for(limit: int) -> int:
    """How many requests a page may make: those that are left of a list's, more for pages of more than a hundred."""
    if limit > MOST_KEYS:
        return 2 + 2 * ceil(limit / MOST_KEYS)
    return MOST_REQUESTS - ceil(limit * CONTACTS_OF_ONE / MOST_KEYS)
