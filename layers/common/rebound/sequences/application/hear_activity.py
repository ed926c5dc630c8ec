"""What events of the business's own system mean to sequences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.activity.application.first_told import first_told
from rebound.activity.domain.events import EventKind, MembershipStatus
from rebound.activity.domain.summary import order_of
from rebound.activity.domain.words import time_of_stamp
from rebound.recurring.domain.days import opening
from rebound.sequences.domain.happenings import NARROWED_BY, PLANNED, Happened, Kind
from rebound.sequences.domain.looking_back import Said

if TYPE_CHECKING:
    from rebound.activity.domain.events import Event
    from rebound.activity.domain.words import Cell
    from rebound.activity.ports import ActivityBook
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory
    from rebound.platform.ports import Clock
    from rebound.sequences.application.enrol import HearHappenings
    from rebound.sequences.application.notice_entering import NoticeEntering
    from rebound.sequences.domain.enrolments import Enrolment
    from rebound.sequences.domain.sequences import Definition
    from rebound.sequences.ports import SequenceBook

TOLD_WITHIN: Final = timedelta(days=2)
"""What is told later is history, such as that of an import: it starts and ends nothing."""
_SAME: Final[Mapping[EventKind, Kind]] = {
    EventKind.BOOKING: Kind.BOOKING,
    EventKind.VISIT: Kind.VISIT,
    EventKind.NO_SHOW: Kind.NO_SHOW,
    EventKind.CANCELLATION: Kind.CANCELLATION,
    EventKind.CHECK_IN: Kind.CHECK_IN,
    EventKind.PURCHASE: Kind.PURCHASE,
    EventKind.REVIEW: Kind.REVIEW,
    EventKind.WAIVER: Kind.WAIVER_SIGNED,
}


class HearActivity(Struct, frozen=True, kw_only=True):
    """Hears what the business's own system tells of customers; the sequences are read once for all of them."""

    hear: HearHappenings
    notice: NoticeEntering
    sequences: SequenceBook
    activity: ActivityBook
    clock: Clock

    def __call__(self, business: Business, events: Mapping[str, Sequence[Event]]) -> None:
        """Do in sequences what the events of each customer mean there; may be told again.

        What is history by now says only what is to come, and only where it was told in time before.
        """
        now = self.clock.now()
        # History comes in millions, and the night looks at everybody.
        lately = {who: told for who, told in events.items() if not all(is_history(each, now) for each in told)}
        late = [each for told in events.values() for each in told if _may_be_planned(each) and is_history(each, now)]
        saved = self.sequences.all(business.business_id) if lately or late else ()
        if not saved:
            return
        corrected = self._corrected(business.business_id, late) if any(each.may_plan for each in saved) else {}
        for customer_id, told in events.items():
            happened = [each for event in told for each in happenings_of(event, now, business.time_zone)]
            happened += [
                each
                for event in told
                if event.event_id in corrected and is_history(event, now)
                for each in happenings_of(event, corrected[event.event_id], business.time_zone)
                if each.kind in PLANNED
            ]
            if happened or customer_id in lately:
                self.hear.in_these(saved, customer_id, happened)
            if customer_id in lately:
                self.notice.of_customer(saved, business.business_id, customer_id)

    def _corrected(self, business_id: str, late: Sequence[Event]) -> Mapping[str, datetime]:
        """When those of these events were told first that had been told before: what they say of what is to come."""
        pointers = self.activity.pointers(business_id, {each.event_id for each in late}, as_of_now=True)
        return {event_id: time_of_stamp(each.first) for event_id, each in pointers.items() if each.first is not None}


class LookBack(Struct, frozen=True, kw_only=True):
    """Reads what the log says to sequences; what was history when it was told first says nothing to them."""

    activity: ActivityBook
    businesses: BusinessDirectory

    def __call__(self, business_id: str, customer_id: str, since: datetime | None = None) -> Sequence[Said]:
        """All of it, or what happened since then; in the order in which it did. Strongly consistent.

        Two reads, and a third where something was told late, or once more.
        """
        zone = self.businesses.get(business_id).time_zone
        if since is None:
            kept = self.activity.read(business_id, customer_id)
            cells = [cell for cell in kept.cells if cell.stamp > kept.erased]
        else:
            cells = list(self.activity.since(business_id, customer_id, since.replace(microsecond=0)))
        stamps = first_told(self.activity, business_id, [cell for cell in cells if _may_be_news(cell, since)])
        told = [
            (cell.event, time_of_stamp(stamps.get(cell.event_id, cell.stamp)))
            for cell in cells
            if cell.event is not None
        ]
        return [
            Said(event, tuple(happenings_of(event, at, zone)))
            for event, at in sorted(told, key=lambda one: order_of(one[0]))
            if not is_history(event, at)
        ]

    def of(self, definition: Definition, enrolment: Enrolment) -> Sequence[Said]:
        """What could say something about somebody who is to begin."""
        key = enrolment.key
        is_planned = definition.trigger.kind in PLANNED
        since = None if is_planned else enrolment.began_at or enrolment.entered_at
        return self(key.business_id, key.customer_id, since)


def happenings_of(event: Event, now: datetime, zone: str) -> Iterator[Happened]:
    """What an event means; nothing where it is history. ``zone`` is that of the business's calendar (an IANA name)."""
    if is_history(event, now):
        return
    if event.kind in _SAME:
        yield _happened(_SAME[event.kind], event, event.event_id)
    elif event.kind is EventKind.PACKAGE and event.credits_left == 0:
        yield _happened(Kind.PACKAGE_LAST_CREDIT, event, event.event_id)
    elif event.kind is EventKind.MEMBERSHIP:
        if event.status is MembershipStatus.RENEWAL_FAILED:
            yield _happened(Kind.RENEWAL_FAILED, event, event.event_id)
        if event.status is MembershipStatus.ACTIVE and event.until is not None:
            ends = opening(event.until, time.min, zone)
            yield _happened(Kind.MEMBERSHIP_EXPIRING, event, f"{event.membership_id}#{event.until}", due_at=ends)
        if event.status in (MembershipStatus.EXPIRED, MembershipStatus.CANCELLED):
            key = f"{event.membership_id}#{event.event_id}"
            yield _happened(Kind.MEMBERSHIP_EXPIRING, event, key, is_withdrawn=True)


def is_history(event: Event, told_at: datetime) -> bool:
    """Whether an event is history to who is told of it then."""
    return event.at < told_at - TOLD_WITHIN


def _may_be_planned(event: Event) -> bool:
    """Whether an event may say what is to come."""
    return event.kind is EventKind.MEMBERSHIP


def _may_be_news(cell: Cell, since: datetime | None) -> bool:
    """Whether an event whose last word was late may have been told in time before."""
    event = cell.event
    if event is None or not is_history(event, time_of_stamp(cell.stamp)):
        return False
    return since is not None or _may_be_planned(event)


def _happened(
    kind: Kind, event: Event, key: str, *, due_at: datetime | None = None, is_withdrawn: bool = False
) -> Happened:
    about = {name: value for name in NARROWED_BY[kind] if (value := getattr(event, name, None)) is not None}
    return Happened(kind=kind, key=key, at=event.at, about=about, due_at=due_at, is_withdrawn=is_withdrawn)
