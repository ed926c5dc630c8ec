"""The customers of a business: who they are, whom messages do not reach and why."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.console.http.requests import PageAnswer, see
from rebound.console.http.visits import Visit
from rebound.contacts.domain.contacts import FAILED_VALUES
from rebound.customers.domain import PROFILE, Kind
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConflictError, InvalidInputError
from rebound.segments.domain.selections import CustomerFilter

if TYPE_CHECKING:
    from rebound.customers.application.customer_service import CustomerView
    from rebound.customers.domain import Customer

PAGE: Final = 50
ENTRIES: Final = 20
"""Of what happened with somebody, on their page."""
_ASKED: Final = ("q", "failed", "tag")
_EDITED: Final = (
    *("first_name", "last_name", "email", "mobile_phone", "day_phone", "night_phone", "birthday", "language"),
    *("general_tags", "online_booking", "external_id"),
)
"""The fields of the form, in its order."""
_EXPLAINED: Final = ((Channel.EMAIL, Category.MARKETING), (Channel.SMS, Category.REMINDER))
"""What "why not?" is asked of first: what each channel is mostly used for."""


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


def show_list(visit: Visit) -> PageAnswer:
    """The list, or what was looked for."""
    fields = visit.request.form if visit.request.method == "POST" else visit.request.query
    asked = {name: fields.one(name) for name in _ASKED}
    failed = asked["failed"] if asked["failed"] in FAILED_VALUES else None
    wanted = CustomerFilter(failed=failed, tag=asked["tag"] or None, q=asked["q"] or None)
    rows: Sequence[ShownCustomer] = ()
    next_cursor, wrong = None, []
    try:
        found = visit.behind.list_customers(visit.business_id, wanted, limit=PAGE, cursor=fields.given("cursor"))
    except InvalidInputError as error:
        wrong = [each.message for each in error.errors]
    else:
        rows, next_cursor = [_shown(visit, view) for view in found.items], found.next_cursor
    return visit.page(
        "customers",
        HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        asked=asked,
        asked_pairs=[(name, value) for name, value in asked.items() if value],
        rows=rows,
        next_cursor=next_cursor,
        wrong=wrong,
    )


def show(visit: Visit, customer_id: str) -> PageAnswer:
    """One customer."""
    view = visit.behind.customer_service.get(visit.business_id, customer_id)
    return _customer_page(visit, view)


def save(visit: Visit, customer_id: str) -> PageAnswer:
    """Write what the form changes.

    Only the fields that differ from what the page showed: two people at once do not undo each other's work.
    """
    form = visit.request.form
    given = {
        name: _value(name, form.one(name))
        for name in _EDITED
        if name in form and form.one(name) != form.one(f"was_{name}")
    }
    try:
        if given:
            visit.behind.customer_service.change(visit.business_id, customer_id, given)
    except InvalidInputError as error:
        wrong: Mapping[str, Sequence[str]] = visit.wrong(error)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    except ConflictError as error:
        locked = error.members.get("fields", ())
        wrong = {name: [str(error)] for name in locked} or {"": [str(error)]}
        status = HTTPStatus.CONFLICT
    else:
        return see(visit.request.link("customers", customer_id, query={"saved": "1"}))
    view = visit.behind.customer_service.get(visit.business_id, customer_id)
    typed = {name: form.one(name) for name in _EDITED if name in form}
    return _customer_page(visit, view, status=status, typed=typed, wrong=wrong)


def confirm(visit: Visit, customer_id: str) -> PageAnswer:
    """Somebody says that an address is right, which clears its flag."""
    channel = visit.request.form.choice("channel", Channel)
    visit.behind.customer_service.confirm(visit.business_id, customer_id, channel)
    return see(visit.request.link("customers", customer_id, query={"saved": "1"}))


def _customer_page(
    visit: Visit,
    view: "CustomerView",
    *,
    status: HTTPStatus = HTTPStatus.OK,
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, Sequence[str]] | None = None,
) -> PageAnswer:
    from rebound.console.http.timeline import entries_of  # noqa: PLC0415 - lists need none of it

    customer, business_id = view.customer, visit.business_id
    values = {name: _written(customer, name) for name in _EDITED}
    timeline = visit.behind.read_timeline(business_id, customer.customer_id, ENTRIES, None)
    why = [
        visit.behind.explain_reachability(business_id, customer.customer_id, channel, category)
        for channel, category in _EXPLAINED
        if customer.address(channel) is not None
    ]
    return visit.page(
        "customer",
        status,
        customer=customer,
        shown=_shown(visit, view),
        fields=_EDITED,
        kinds={name: PROFILE[name].kind.name.lower() for name in _EDITED},
        choices={name: PROFILE[name].choices for name in _EDITED},
        values={**values, **(typed or {})},
        was=values,
        wrong=wrong or {},
        saved="saved" in visit.request.query,
        why=[{"channel": each.case.mailing.channel, "sentence": each.sentence, "step": each.next_step} for each in why],
        stopped=timeline.stopped,
        entries=entries_of(timeline),
    )


def _shown(visit: Visit, view: "CustomerView") -> ShownCustomer:
    customer = view.customer
    return ShownCustomer(
        customer.customer_id,
        f"{customer.first_name} {customer.last_name}",
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


def _written(customer: "Customer", name: str) -> str:
    value: Any = getattr(customer, name)
    if value is None:
        return ""
    return ", ".join(value) if PROFILE[name].kind is Kind.TAGS else str(value)


def _value(name: str, typed: str) -> Any:
    if PROFILE[name].kind is Kind.TAGS:
        return [tag.strip() for tag in typed.split(",") if tag.strip()]
    return typed or None
