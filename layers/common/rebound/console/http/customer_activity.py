"""What a customer did and what was done: numbers and events, points and vouchers, everything that happened."""

from collections.abc import Mapping, Sequence
from datetime import date
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from rebound.console.http.requests import PageAnswer, see
from rebound.console.http.timeline import ShownEntry, entries_of, sentence_of
from rebound.console.http.visits import Visit
from rebound.kernel.currencies import written_amount
from rebound.kernel.errors import ConflictError, InvalidInputError
from rebound.kernel.ids import ULIDS
from rebound.kernel.pages import first_page, read_cursor
from rebound.messages.domain.vouchers import written_code
from rebound.timeline.domain import sentence_of_points

if TYPE_CHECKING:
    from rebound.activity.domain.events import Event

EVENTS: Final = 20
BOOKINGS: Final = 20
ENTRIES: Final = 30
"""Of each page."""
_SAID: Final = ("appointment_id", "class_type", "class_id", "product_id", "membership_id", "package_id", "order_id")
"""What an event is about: the first of these that it has."""


def show(visit: Visit, customer_id: str) -> PageAnswer:
    """What they did, in numbers, and the last events."""
    behind = visit.behind
    cursor = visit.request.query.given("cursor")
    customer, summary, events = behind.read_activity.both(visit.business_id, customer_id, EVENTS, cursor)
    tier, _ = behind.tier_of_customer(customer, summary)
    spent = summary.spent(date.min, date.max)
    return visit.page(
        "customer_activity",
        tab="activity",
        customer=customer,
        summary=summary,
        visits=summary.visits(date.min, date.max),
        sales=[f"{written_amount(amount, currency)} {currency}" for currency, amount in sorted(spent.items())],
        coming=summary.coming(behind.ports.clock.now()),
        tier=tier,
        events=[(event, _about(event)) for event in events.items],
        next_cursor=events.next_cursor,
    )


def _about(event: "Event") -> str:
    about = next((value for name in _SAID if (value := getattr(event, name))), "")
    paid = "" if event.amount is None else f"{event.amount} {event.currency}"
    stars = "" if event.rating is None else "★" * event.rating
    return ", ".join(each for each in (about, event.location_id or "", paid, stars, event.text or "") if each)


def show_points(visit: Visit, customer_id: str) -> PageAnswer:
    """The balance, who booked what, and the vouchers that apply."""
    return _points(visit, customer_id)


def book(visit: Visit, customer_id: str) -> PageAnswer:
    """Add points or take some off; sent twice, it is done once."""
    form = visit.request.form
    typed = {"delta": form.one("delta"), "reason": form.one("reason")}
    request = f"console#points#{customer_id}#{form.one('once')}"
    try:
        visit.behind.book_points(
            visit.business_id, customer_id, _delta(typed["delta"]), typed["reason"], visit.me.email, request
        )
    except InvalidInputError as error:
        return _points(visit, customer_id, HTTPStatus.UNPROCESSABLE_ENTITY, typed=typed, wrong=visit.wrong(error))
    except ConflictError as error:
        return _points(visit, customer_id, HTTPStatus.CONFLICT, typed=typed, wrong={"delta": [str(error)]})
    return see(visit.request.link("customers", customer_id, "points", query={"saved": "1"}))


def _delta(typed: str) -> int:
    """Points as somebody types them; 0, which cannot be booked, for what is no number."""
    digits = typed.replace("−", "-").removeprefix("+")
    return int(digits) if digits.removeprefix("-").isdecimal() and len(digits) < 12 else 0  # noqa: PLR2004 - enough


def _points(
    visit: Visit,
    customer_id: str,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, Sequence[str]] | None = None,
) -> PageAnswer:
    behind, cursor = visit.behind, visit.request.query.given("cursor")
    try:
        last = read_cursor(cursor, ULIDS)
    except InvalidInputError:
        # What a link names may be gone; then the list begins.
        cursor = last = None
    found = behind.ports.points_ledger.before(visit.business_id, customer_id, last, BOOKINGS + 1)
    booked = first_page(found, BOOKINGS, lambda each: each.booking_id)
    return visit.page(
        "customer_points",
        status,
        tab="points",
        customer=behind.ports.customers.get(visit.business_id, customer_id),
        vouchers=[
            (written_code(issued.code), issued)
            for issued in behind.vouchers_of_customer(visit.business_id, customer_id)
        ],
        booked=[(each.at, sentence_of_points(each)) for each in booked.items],
        is_first=cursor is None,
        next_cursor=booked.next_cursor,
        typed=typed or {"delta": "", "reason": ""},
        wrong=wrong or {},
        saved="saved" in visit.request.query,
        once=visit.request.form.one("once") or behind.ports.ids.ulid(behind.ports.clock.now()),
    )


def show_timeline(visit: Visit, customer_id: str) -> PageAnswer:
    """Everything that happened, newest first; points have a page of their own."""
    cursor = visit.request.query.given("cursor")
    timeline = visit.behind.read_timeline(
        visit.business_id,
        customer_id,
        ENTRIES,
        cursor,
        business=visit.business,
        with_waiting=False,
        with_points=False,
        with_sequences=False,
    )
    return visit.page(
        "customer_timeline",
        tab="timeline",
        customer=timeline.customer,
        stopped=timeline.stopped,
        entries=entries_of(timeline),
        is_first=cursor is None,
        next_cursor=timeline.entries.next_cursor,
    )


def show_waiting(visit: Visit, customer_id: str) -> PageAnswer:
    """What campaigns under way have yet to send them: apart, because every campaign takes reads of its own."""
    customer, waiting = visit.behind.read_timeline.waiting_for(visit.business_id, customer_id)
    entries = [ShownEntry(entry.at, sentence_of(entry)) for entry in waiting]
    return visit.page("customer_waiting", tab="timeline", customer=customer, entries=entries)


def show_sequences(visit: Visit, customer_id: str) -> PageAnswer:
    """Where they are in each sequence and what comes next, or why they are not in it: apart, as a page of its own."""
    customer = visit.behind.ports.customers.get(visit.business_id, customer_id)
    stands = visit.behind.read_enrolments.of_customer(customer, visit.of_business, with_last=False)
    return visit.page("customer_sequences", tab="timeline", customer=customer, stands=stands)
