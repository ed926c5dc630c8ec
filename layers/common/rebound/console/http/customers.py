"""The customers of a business: who they are, whom messages do not reach and why."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.console.http.requests import Form, PageAnswer, see
from rebound.console.http.typed import whole_number
from rebound.console.http.visits import Visit
from rebound.contacts.domain.contacts import FAILED_VALUES
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConflictError, InvalidInputError
from rebound.segments.domain.selections import CustomerFilter

if TYPE_CHECKING:
    from rebound.customers.application.customer_service import CustomerView
    from rebound.segments.domain.segments import SavedSegments

PAGE: Final = 50
MOST_SEGMENTS: Final = 100
"""Of which one can be chosen."""
_MOST: Final = 10**9
_ASKED: Final = ("q", "failed", "tag", "segment", "location")


class ShownAddress(Struct, frozen=True):
    """An address, and in words why it is flagged and since when."""

    address: str
    flag: str | None


class ShownCustomer(Struct, frozen=True):
    """A line of the list."""

    customer_id: str
    name: str
    email: ShownAddress | None
    phone: ShownAddress | None
    tags: Sequence[str]


def show_list(visit: Visit, *, wrong: Sequence[str] = ()) -> PageAnswer:
    """The list, or what was looked for; counted where that is asked for, because it takes a while.

    Whoever opens it and works at a location sees those who were or are booked there, until they ask for all.
    ``wrong`` is what is wrong with a form that is sent from the list, which then is shown as it was.
    """
    fields = visit.request.form if visit.request.method == "POST" else visit.request.query
    asked, cursor = asked_in(fields), fields.given("cursor")
    own = visit.member.location_id if visit.member is not None else None
    if own and visit.request.method == "GET" and not any(name in fields for name in (*_ASKED, "cursor")):
        asked = {**asked, "location": own}
    locations = {own or "", asked["location"]} - {""}
    rows: Sequence[ShownCustomer] = ()
    next_cursor, counts, looked_at = None, None, whole_number(fields.one("looked"), _MOST) or 0
    saved = visit.behind.segment_service.known(visit.business_id)
    try:
        wanted = _wanted(visit, asked, saved)
        if wanted.as_of is None or wanted.as_of.standings is None:
            # A tier asks for so much else that no more can be read.
            locations |= set(visit.behind.ports.summaries.locations(visit.business_id))
        found = visit.behind.list_customers.in_few_requests(visit.of_business, wanted, limit=PAGE, cursor=cursor)
        if "count" in fields:
            counts = visit.behind.count_customers(visit.business_id, wanted) or {}
    except InvalidInputError as error:
        wrong = [*wrong, *(each.message for each in error.errors)]
    except ConflictError as error:
        wrong = [*wrong, str(error)]
    else:
        rows, next_cursor = [shown(visit, view) for view in found.items], found.next_cursor
        looked_at += found.looked_at or 0
    return visit.page(
        "customers",
        HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        asked=asked,
        failures=FAILED_VALUES,
        asked_pairs=pairs_of(asked),
        segments=saved.in_order[:MOST_SEGMENTS],
        locations=sorted(locations),
        rows=rows,
        cursor=cursor,
        next_cursor=next_cursor,
        # Whom few filters match is looked for among some customers at a time.
        is_short=next_cursor is not None and len(rows) < PAGE,
        looked_at=looked_at,
        wrong=wrong,
        counts=counts,
    )


def export(visit: Visit) -> PageAnswer:
    """Have a file made of all that is found."""
    wanted = wanted_by(visit, asked_in(visit.request.form))
    begun = visit.behind.start_export(visit.business_id, "csv", wanted, by=visit.me.email)
    visit.did(of=begun.job.export_id)
    return see(visit.request.link("exports", begun.job.export_id))


def asked_in(fields: Form) -> Mapping[str, str]:
    """What a list is asked for, by the names of the fields; empty texts for what is not."""
    asked = {name: fields.one(name) for name in _ASKED}
    return {**asked, "failed": asked["failed"] if asked["failed"] in FAILED_VALUES else ""}


def pairs_of(asked: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    """What is asked for, for the next form."""
    return [(name, value) for name, value in asked.items() if value]


def wanted_by(visit: Visit, asked: Mapping[str, str]) -> CustomerFilter:
    """Whom a list is about; a saved segment is read now. Raises ``InvalidInputError``."""
    pin = visit.behind.pin_filters
    segment = pin.segment(visit.business_id, asked["segment"]) if asked["segment"] else None
    return pin.wanted(visit.business_id, _as_asked(asked, segment))


def _wanted(visit: Visit, asked: Mapping[str, str], saved: "SavedSegments") -> CustomerFilter:
    """The same in few requests: by segments that are read already, and tiers as of the latest ranking."""
    pin = visit.behind.pin_filters
    segment = pin.segment_of(saved, asked["segment"]) if asked["segment"] else None
    wanted = _as_asked(asked, segment)
    return pin.wanted(visit.business_id, wanted, is_next_page=True, business=visit.of_business)


def _as_asked(asked: Mapping[str, str], segment: Mapping[str, Any] | None) -> CustomerFilter:
    return CustomerFilter(
        failed=asked["failed"] or None,
        tag=asked["tag"] or None,
        q=asked["q"] or None,
        segment=segment,
        location_id=asked["location"] or None,
    )


def shown(visit: Visit, view: "CustomerView") -> ShownCustomer:
    """A customer as lists have them."""
    customer = view.customer
    return ShownCustomer(
        customer.customer_id,
        customer.full_name,
        _address(visit, view, Channel.EMAIL),
        _address(visit, view, Channel.SMS),
        customer.general_tags,
    )


def _address(visit: Visit, view: "CustomerView", channel: Channel) -> ShownAddress | None:
    address, contact = view.customer.address(channel), view.contacts.get(channel)
    if address is None:
        return None
    verdict = contact.verdict(view.business.policy) if contact is not None else None
    if verdict is None or not verdict.invalid or verdict.since is None:
        return ShownAddress(address, None)
    words, reason = visit.words, f"reason.{verdict.reason}"
    why = words(reason) if words.has(reason) else words("reason.other")
    return ShownAddress(address, words("customers.flagged", why=why, since=words.day(verdict.since)))
