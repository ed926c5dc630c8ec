"""One customer: the profile to edit, the addresses, what may be sent and why something does not arrive."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.consent.domain.consent import Standing
from rebound.consent.domain.taking_back import TakenBackBy, how_to_take_back, only_the_customer_ends, taken_back_by
from rebound.console.http.customers import shown
from rebound.console.http.requests import Form, PageAnswer, see
from rebound.console.http.visits import Visit
from rebound.customers.application.customer_service import is_locked
from rebound.customers.domain import LOCKABLE, PROFILE, Kind
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import ConflictError, InvalidInputError, TooSoonError
from rebound.kernel.languages import LANGUAGES
from rebound.preferences.application.customer_consent import Statement

if TYPE_CHECKING:
    from rebound.customers.application.customer_service import CustomerView
    from rebound.customers.domain import Customer

_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "person": (
        *("first_name", "last_name", "email", "mobile_phone", "day_phone", "night_phone", "gender", "birthday"),
        *("language", "time_zone"),
    ),
    "address": tuple(name for name, row in PROFILE.items() if row.group == "address"),
    "reminders": (*(name for name, row in PROFILE.items() if row.group == "reminders"), "cc"),
    "business": ("customer_since", "general_tags", "referred_by", "online_booking", "external_id"),
}
"""The fields of the form by its parts, in their order."""
_EDITED: Final = tuple(name for names in _PARTS.values() for name in names)
_INPUTS: Final = {Kind.EMAIL: "email", Kind.PHONE: "tel", Kind.DATE: "date"}
_EXPLAINED: Final = (
    *((Channel.EMAIL, Category.MARKETING), (Channel.EMAIL, Category.REMINDER)),
    *((Channel.SMS, Category.MARKETING), (Channel.SMS, Category.REMINDER)),
)
"""What "why not?" is asked of first: what each channel is mostly used for."""
_LISTS: Final = (Kind.TAGS, Kind.RECIPIENTS)
_ON: Final = "on"


class To(StrEnum):
    """What a switch of consent is turned to."""

    OUT = "out"
    IN = "in"


class ShownScope(Struct, frozen=True):
    """A kind of messages on a channel: whether they may be sent, and what turns that round.

    ``only_they`` is what is said where only the customer can opt in again; ``needs_words`` where staff give the
    customer's words for it.
    """

    channel: Channel
    scope: Scope
    standing: Standing
    since: datetime | None
    opted_out: bool
    only_they: str | None
    needs_words: bool


def show(visit: Visit, customer_id: str) -> PageAnswer:
    """The page."""
    return _page(visit, customer_id)


def save(visit: Visit, customer_id: str) -> PageAnswer:
    """Write what the form changes.

    Only the fields that differ from what the page showed: two people at once do not undo each other's work.
    """
    form = visit.request.form
    typed = {name: _typed(form, name) for name in _EDITED if f"was_{name}" in form}
    given = {name: _value(name, value) for name, value in typed.items() if value != form.one(f"was_{name}")}
    try:
        if given:
            visit.behind.customer_service.change(visit.business_id, customer_id, given)
            visit.did(profile=list(given))
        else:
            visit.did_nothing()
    except InvalidInputError as error:
        return _page(visit, customer_id, HTTPStatus.UNPROCESSABLE_ENTITY, typed=typed, wrong=visit.wrong(error))
    except ConflictError as error:
        locked = error.members.get("locked_fields", ())
        why = str(visit.words("customer.locked"))
        wrong: Mapping[str, Sequence[str]] = {name: [why] for name in locked} or {"": [str(error)]}
        return _page(visit, customer_id, HTTPStatus.CONFLICT, typed=typed, wrong=wrong)
    return _saved(visit, customer_id)


def confirm(visit: Visit, customer_id: str) -> PageAnswer:
    """Somebody says that an address is right, which clears its flag."""
    channel = visit.request.form.choice("channel", Channel)
    visit.behind.customer_service.confirm(visit.business_id, customer_id, channel)
    return _saved(visit, customer_id)


def state_consent(visit: Visit, customer_id: str) -> PageAnswer:
    """Opt somebody out of a kind of messages, or in again, on their word."""
    form = visit.request.form
    channel, scope = form.choice("channel", Channel), form.choice("scope", Scope)
    opted_out = form.choice("to", To) is To.OUT
    words = form.one("words")[:1000] or None
    statement = Statement(channel, scope, opted_out, ConsentSource.STAFF, who=visit.me.email, words=words)
    place = f"{channel}-{scope}"
    try:
        visit.behind.state_consent(visit.business_id, customer_id, statement)
    except InvalidInputError as error:
        wrong = {place: [each.message for each in error.errors]}
        return _page(visit, customer_id, HTTPStatus.UNPROCESSABLE_ENTITY, wrong=wrong)
    except ConflictError as error:
        return _page(visit, customer_id, HTTPStatus.CONFLICT, wrong={place: [str(error)]})
    return _saved(visit, customer_id)


def ask_for_update(visit: Visit, customer_id: str) -> PageAnswer:
    """Send the customer a link to a form in which they look through their details themselves."""
    try:
        visit.behind.ask_for_update(visit.business_id, customer_id)
    except (ConflictError, TooSoonError) as error:
        return _page(visit, customer_id, HTTPStatus.CONFLICT, wrong={"": [str(error)]})
    return see(visit.request.link("customers", customer_id, query={"asked": "1"}))


def _saved(visit: Visit, customer_id: str) -> PageAnswer:
    return see(visit.request.link("customers", customer_id, query={"saved": "1"}))


def _page(
    visit: Visit,
    customer_id: str,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, Sequence[str]] | None = None,
) -> PageAnswer:
    behind = visit.behind
    view = behind.customer_service.get(visit.business_id, customer_id)
    customer = view.customer
    values = {name: _written(customer, name) for name in _EDITED}
    asked = [(channel, category) for channel, category in _EXPLAINED if customer.address(channel) is not None]
    contacts = {contact.key: contact for contact in view.contacts.values()}
    words = visit.words
    languages = sorted((words.language_named(each), each) for each in LANGUAGES)
    locked = is_locked(customer, view.business, behind.profile_locks)
    return visit.page(
        "customer",
        status,
        tab="",
        customer=customer,
        shown=shown(visit, view),
        parts=_PARTS,
        kinds={name: PROFILE[name].kind.name.lower() for name in _EDITED},
        inputs={name: _INPUTS.get(PROFILE[name].kind, "text") for name in _EDITED},
        choices={name: PROFILE[name].choices for name in _EDITED},
        languages=languages,
        zones=words.zones(values["time_zone"], (typed or {}).get("time_zone", "")),
        locked=LOCKABLE if locked else (),
        values={**values, **(typed or {})},
        was=values,
        wrong=wrong or {},
        saved="saved" in visit.request.query,
        asked="asked" in visit.request.query,
        why=behind.explain_reachability.several(view, asked),
        stopped=behind.read_timeline.stopped(customer, contacts, view.business),
        consent=[each for channel in Channel for each in _scopes(view, channel)],
    )


def _scopes(view: "CustomerView", channel: Channel) -> Sequence[ShownScope]:
    contact = view.contacts.get(channel)
    if contact is None:
        return ()
    needed = view.business.double_opt_in.is_asked_for(channel)
    found = []
    for scope in Scope:
        state, final = contact.consent.of(scope), only_the_customer_ends(contact.consent, scope)
        opt_out = state.opt_out
        found.append(
            ShownScope(
                channel,
                scope,
                contact.consent.standing(scope, needs_confirmation=needed),
                None if state.ruling is None else state.ruling.at,
                state.opted_out,
                how_to_take_back(final, channel, view.business.text_from) if final is not None else None,
                opt_out is not None and taken_back_by(opt_out) is TakenBackBy.STAFF_WITH_WORDS,
            )
        )
    return found


def _typed(form: Form, name: str) -> str:
    """What stands in a field; a box that is not ticked is not sent."""
    if PROFILE[name].kind is Kind.SWITCH:
        return _ON if name in form else ""
    return form.one(name, form.one(f"was_{name}"))


def _written(customer: "Customer", name: str) -> str:
    value: Any = getattr(customer, name)
    if PROFILE[name].kind is Kind.SWITCH:
        return _ON if value else ""
    if value is None:
        return ""
    return ", ".join(value) if PROFILE[name].kind in _LISTS else str(value)


def _value(name: str, typed: str) -> Any:
    kind = PROFILE[name].kind
    if kind is Kind.SWITCH:
        return typed == _ON
    if kind in _LISTS:
        return [each.strip() for each in typed.split(",") if each.strip()]
    return typed or None
