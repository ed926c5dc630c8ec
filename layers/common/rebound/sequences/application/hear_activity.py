"""What events of the business's own system mean to sequences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.activity.application.first_told import soonest_told
from rebound.activity.domain.events import EventKind, MembershipStatus
from rebound.activity.domain.summary import order_of
from rebound.activity.domain.words import delay_of
from rebound.kernel.errors import NotFoundError
from rebound.recurring.domain.days import opening
from rebound.sequences.domain.happenings import NARROWED_BY, PLANNED, Happened, Kind
from rebound.sequences.domain.looking_back import Said

if TYPE_CHECKING:
    from rebound.activity.domain.events import Event
    from rebound.activity.domain.words import Cell, Told
    from rebound.activity.ports import ActivityBook
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory
    from rebound.customers.ports import CustomerBook, UnforgottenCustomers
    from rebound.platform.ports import Clock
    from rebound.sequences.application.enrol import HearHappenings
    from rebound.sequences.application.notice_entering import NoticeEntering
    from rebound.sequences.domain.enrolments import Enrolment
    from rebound.sequences.domain.sequences import Definition, KnownSequence
    from rebound.sequences.domain.tasks import NewcomersTask
    from rebound.sequences.ports import SequenceBook

TOLD_WITHIN: Final = timedelta(days=2)
"""What is told later only is history, such as that of an import: it starts and ends nothing."""
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
_SAY_WHAT_IS_TO_COME: Final = frozenset({EventKind.MEMBERSHIP})


class HearActivity(Struct, frozen=True, kw_only=True):
    """Hears what the business's own system tells of customers; the sequences are read once for all of them."""

    hear: HearHappenings
    notice: NoticeEntering
    sequences: SequenceBook

    def __call__(self, business: Business, events: Mapping[str, Sequence[Told]]) -> None:
        """Do in sequences what the events of each customer mean there; may be told again.

        What was told in time and is corrected when it is long past starts nothing that it has not started.
        """
        # History comes in millions.
        heard = {who: [each for each in told if is_in_time(each.soonest)] for who, told in events.items()}
        saved = self.sequences.all(business.business_id) if any(heard.values()) else ()
        if not saved:
            return
        for customer_id, told in heard.items():
            if not told:
                continue
            happened = [
                replace(each, starts=is_in_time(one.delay))
                for one in told
                for each in happenings_of(one.event, business.time_zone)
            ]
            self.hear.in_these(saved, customer_id, happened)
            # The night looks at everybody.
            if any(is_in_time(each.delay) for each in told):
                self.notice.of_customer(saved, business.business_id, customer_id)


class LookBack(Struct, frozen=True, kw_only=True):
    """Reads what the log says to sequences; what is history says nothing to them."""

    activity: ActivityBook
    businesses: BusinessDirectory

    def __call__(
        self, business_id: str, customer_id: str, since: datetime | None = None, *, ahead: bool = False
    ) -> Sequence[Said]:
        """What happened ``since`` then, and all that says what is to come (``ahead``); in the order in which it did.

        Two reads, and a third where something was told late, or is said otherwise since. Strongly consistent.
        """
        zone = self.businesses.get(business_id).time_zone
        cells = [cell for cell in self._cells(business_id, customer_id, since, ahead=ahead) if cell.event is not None]
        late = [cell for cell in cells if not is_in_time(delay_of(cell.stamp, cell.at))]
        soonest = soonest_told(self.activity, business_id, late)
        in_time = [cell.event for cell in cells if is_in_time(soonest.get(cell.event_id, timedelta()))]
        events = sorted((event for event in in_time if event is not None), key=order_of)
        return [Said(event, tuple(happenings_of(event, zone))) for event in events]

    def of(self, definition: Definition, enrolment: Enrolment) -> Sequence[Said]:
        """What could say something about somebody who is to begin."""
        key = enrolment.key
        since = enrolment.began_at or enrolment.entered_at
        return self(key.business_id, key.customer_id, since, ahead=definition.trigger.kind in PLANNED)

    def _cells(self, business_id: str, customer_id: str, since: datetime | None, *, ahead: bool) -> Sequence[Cell]:
        at = None if since is None else since.replace(microsecond=0)
        if not ahead:
            return () if at is None else self.activity.since(business_id, customer_id, at)
        kept = self.activity.read(business_id, customer_id)
        cells = [cell for cell in kept.cells if cell.stamp > kept.erased]
        return [
            cell
            for cell in cells
            if (at is not None and cell.at >= at)
            or (cell.event is not None and cell.event.kind in _SAY_WHAT_IS_TO_COME)
        ]


class HearOfNewcomers(Struct, frozen=True, kw_only=True):
    """Hears what the log says of new customers; of what is history by now only what is to come.

    Who has booked may have to be asked to sign a waiver, too.
    """

    sequences: SequenceBook
    businesses: BusinessDirectory
    customers: CustomerBook
    unforgotten: UnforgottenCustomers
    look_back: LookBack
    hear: HearHappenings
    notice: NoticeEntering
    look_at: Callable[[Business, str], None]
    clock: Clock

    def __call__(self, task: NewcomersTask) -> None:
        """Do in sequences what was told of each of these; may come again."""
        business_id = task.business_id
        try:
            business = self.businesses.get(business_id)
        except NotFoundError:
            return
        saved = self.sequences.all(business_id)
        known = self.customers.get_many(business_id, [each.customer_id for each in task.came], as_of_now=True)
        for came in task.came:
            customer = known.get(came.customer_id)
            # Whoever is there again after a deletion is told of by themselves.
            if customer is None or customer.created_at != came.at:
                continue
            # Of who had the id before, something is left, and goes with all that was told until these came.
            if self.unforgotten.find(business_id, came.customer_id) is None:
                self._hear(saved, business_id, came.customer_id)
                self.look_at(business, came.customer_id)

    def _hear(self, saved: Sequence[KnownSequence], business_id: str, customer_id: str) -> None:
        now = self.clock.now()
        said = self.look_back(business_id, customer_id, now - TOLD_WITHIN, ahead=True)
        lately = [is_in_time(now - one.event.at) for one in said]
        told = zip(said, lately, strict=True)
        heard = [each for one, is_news in told for each in one.happened if is_news or each.kind in PLANNED]
        if heard:
            self.hear.in_these(saved, customer_id, heard)
        if any(lately):
            self.notice.of_customer(saved, business_id, customer_id)


def happenings_of(event: Event, zone: str) -> Iterator[Happened]:
    """What an event means, that is no history. ``zone`` is that of the business's calendar (an IANA name)."""
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


def is_in_time(delay: timedelta) -> bool:
    """Whether an event is no history to who is told of it so long after it happened."""
    return delay <= TOLD_WITHIN


def _happened(
    kind: Kind, event: Event, key: str, *, due_at: datetime | None = None, is_withdrawn: bool = False
) -> Happened:
    about = {name: value for name in NARROWED_BY[kind] if (value := getattr(event, name, None)) is not None}
    return Happened(kind=kind, key=key, at=event.at, about=about, due_at=due_at, is_withdrawn=is_withdrawn)
