"""Counting texts against the plan of a business: reserved before they go out, settled by what the provider says.

Whoever sends reserves for a message under its key, as often as it likes: a sender that takes over from one that died
finds the reservation. It is released when it is known that the message has not gone out; when nobody knows, it stays.
What is counted later goes to the month of the reservation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from itertools import batched
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.kernel.errors import NotFoundError
from rebound.kernel.retrying import retried
from rebound.text_plans.domain import (
    NOTE_DUE,
    Change,
    Entry,
    InboundKind,
    affordable,
    month_of,
    name_of,
    name_of_inbound,
    notes_due,
    segments_of,
)
from rebound.text_plans.ports import MOST_CHANGES
from rebound.timers.domain import Timer

if TYPE_CHECKING:
    from datetime import datetime

    from rebound.businesses.domain.business import Business
    from rebound.businesses.domain.text_plan import TextPlan
    from rebound.businesses.ports import BusinessDirectory
    from rebound.kernel.receipts import MessageKey
    from rebound.platform.ports import Clock
    from rebound.text_plans.domain import (
        PlanNote,
        TextMonth,
    )
    from rebound.text_plans.ports import TextLedger
    from rebound.timers.ports import TimerBook

FIRST_WAIT: Final = timedelta(milliseconds=5)
"""After a lost race, doubled with each: transactions that meet at a month's row refuse each other."""


class MeterTexts(Struct, frozen=True, kw_only=True):
    """Reserves, settles and releases segments. Nothing is read or written for a business without a plan.

    Several at once never reserve more than is included: a month's sum changes with its entries, in one transaction that
    holds the limit. Raises ``ConcurrentChangeError`` when others keep writing: then nothing may be sent.
    """

    ledger: TextLedger
    timers: TimerBook
    businesses: BusinessDirectory
    clock: Clock

    def reserve(self, business: Business, wanted: Mapping[MessageKey, int]) -> Mapping[MessageKey, Entry]:
        """Reserve segments for messages, for as many as there are enough, in their order; those who have theirs now.

        One that has a reservation keeps it, in its month; with another number of segments than before, the difference
        is reserved. One for which too few are left has none any more.
        """
        plan = business.text_plan
        if plan is None:
            return {}
        names = {name_of(key): segments for key, segments in wanted.items()}
        reserved: dict[str, Entry] = {}
        for some in batched(names.items(), MOST_CHANGES, strict=False):
            reserved |= self._retried(partial(self._reserve, business, plan, dict(some)))
        return {key: reserved[name_of(key)] for key in wanted if name_of(key) in reserved}

    def settle(self, key: MessageKey, segments: int, business: Business | None = None) -> None:
        """Correct what is counted for a message that went out to what its provider says; 0 says nothing.

        A message without a reservation is not counted. The settings are read where the caller has not read them.
        """
        name = name_of(key)

        def write() -> str | None:
            entry = self.ledger.entries([name]).get(name)
            if entry is None:
                return None
            after = entry.after(segments)
            if after != entry:
                self.ledger.change(key.business_id, entry.month, [Change(entry, after)])
            return entry.month

        month = self._retried(write)
        if month is not None:
            try:
                business = business or self.businesses.get(key.business_id)
            except NotFoundError:
                return
            self._look_at(business, month)

    def release(self, business: Business, keys: Iterable[MessageKey]) -> None:
        """Release the reservations of messages that are known not to have gone out, whoever made them."""
        if business.text_plan is None:
            return
        for names in batched(map(name_of, keys), MOST_CHANGES, strict=False):
            self._retried(partial(self._release, business, names))

    def count_inbound(
        self, business: Business, kind: InboundKind, inbound_id: str, segments: int, at: datetime
    ) -> None:
        """Count what came in ``at`` a time, once however often it is told of, if the plan counts such.

        It is never refused: what is used may pass what is included.
        """
        plan = business.text_plan
        if plan is None or not (plan.inbound_texts if kind is InboundKind.TEXT else plan.inbound_calls):
            return
        name, month = name_of_inbound(business.business_id, kind, inbound_id), month_of(business, at)

        def write() -> None:
            if name not in self.ledger.entries([name]):
                entry = Entry(name, month, max(segments, 1), settled=True, is_inbound=True)
                self.ledger.change(business.business_id, month, [Change(None, entry)])

        self._retried(write)
        self._look_at(business, month)

    def _reserve(self, business: Business, plan: TextPlan, wanted: Mapping[str, int]) -> Mapping[str, Entry]:
        known, now = self.ledger.entries(wanted), month_of(business, self.clock.now())
        by_month: defaultdict[str, list[str]] = defaultdict(list)
        for name in wanted:
            by_month[known[name].month if name in known else now].append(name)
        reserved: dict[str, Entry] = {}
        for month, names in by_month.items():
            counted = self.ledger.month(business.business_id, month)
            went_out = {name: known[name] for name in names if name in known and known[name].settled}
            more = {name: wanted[name] - segments_of(known.get(name)) for name in names if name not in went_out}
            chosen = {name: Entry(name, month, wanted[name]) for name in affordable(more, plan.included - counted.used)}
            changes = [Change(known.get(name), chosen.get(name)) for name in more]
            changes = [change for change in changes if change.before != change.after]
            if changes:
                is_more = any(change.more > 0 for change in changes)
                self.ledger.change(business.business_id, month, changes, plan.included if is_more else None)
            reserved |= went_out | chosen
            self._look_at(business, month, None if changes else counted, refused=len(chosen) < len(more))
        return reserved

    def _release(self, business: Business, names: Iterable[str]) -> None:
        by_month: defaultdict[str, list[Change]] = defaultdict(list)
        for entry in self.ledger.entries(names).values():
            # What a provider has counted went out.
            if not entry.settled:
                by_month[entry.month].append(Change(entry, None))
        for month, changes in by_month.items():
            self.ledger.change(business.business_id, month, changes)

    def _look_at(
        self, business: Business, month: str, counted: TextMonth | None = None, *, refused: bool = False
    ) -> None:
        """Have the owner told of what a change, or one before it whose worker died, has made due."""
        now = self.clock.now()
        if business.text_plan is None or month != month_of(business, now):
            return
        counted = counted or self.ledger.month(business.business_id, month)
        minute = now.replace(second=0, microsecond=0)
        due = notes_due(business, counted, refused=refused)
        self.timers.put([note_timer(business.business_id, month, note, minute) for note in due])

    def _retried[T](self, write: Callable[[], T]) -> T:
        return retried(write, lost=lambda attempt: self.clock.wait(FIRST_WAIT * (1 << attempt)))


def note_timer(business_id: str, month: str, note: PlanNote, due_at: datetime) -> Timer:
    """The timer that has a note written."""
    return Timer(due_at, NOTE_DUE, f"{business_id}#{month}#{note}")
