"""The customers of a business: who they are, whom messages do not reach and why."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.console.http.requests import Form, PageAnswer, see
from rebound.console.http.visits import Visit
from rebound.contacts.domain.contacts import FAILED_VALUES
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConflictError, InvalidInputError
from rebound.segments.domain.selections import CustomerFilter

if TYPE_CHECKING:
    from rebound.customers.application.customer_service import CustomerView
    from rebound.segments.domain.segments import Segment

PAGE: Final = 50
MOST_SEGMENTS: Final = 100
"""Of which one can be chosen."""
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
    segments = visit.behind.segment_service.page(visit.business_id, MOST_SEGMENTS, None).items
    locations = {*visit.behind.ports.summaries.locations(visit.business_id), own or "", asked["location"]} - {""}
    rows: Sequence[ShownCustomer] = ()
    next_cursor, counts = None, None
    try:
        wanted = wanted_by(visit, asked, segments, is_next_page=cursor is not None)
        found = visit.behind.list_customers(
            visit.business_id, wanted, limit=PAGE, cursor=cursor, business=visit.business
        )
        if "count" in fields:
            counts = visit.behind.count_customers(visit.business_id, wanted) or {}
    except InvalidInputError as error:
        wrong = [*wrong, *(each.message for each in error.errors)]
    except ConflictError as error:
        wrong = [*wrong, str(error)]
    else:
        rows, next_cursor = [shown(visit, view) for view in found.items], found.next_cursor
    return visit.page(
        "customers",
        HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        asked=asked,
        failures=FAILED_VALUES,
        asked_pairs=pairs_of(asked),
        segments=segments,
        locations=sorted(locations),
        rows=rows,
        cursor=cursor,
        next_cursor=next_cursor,
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


def wanted_by(
    visit: Visit, asked: Mapping[str, str], segments: Sequence["Segment"] = (), *, is_next_page: bool = False
) -> CustomerFilter:
    """Whom a list is about; a saved segment that is none of ``segments`` is read now. Raises ``InvalidInputError``."""
    pin, business_id, chosen = visit.behind.pin_filters, visit.business_id, asked["segment"]
    tree = next((each.filter for each in segments if each.segment_id == chosen), None)
    if tree is not None:
        tree = pin.filter(business_id, tree, "segment_id")
    elif chosen:
        tree = pin.segment(business_id, chosen)
    wanted = CustomerFilter(
        failed=asked["failed"] or None,
        tag=asked["tag"] or None,
        q=asked["q"] or None,
        segment=tree,
        location_id=asked["location"] or None,
    )
    return pin.wanted(business_id, wanted, is_next_page=is_next_page, business=visit.business)


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
