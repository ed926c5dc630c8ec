"""The form behind a link in which customers look through their own details, and correct them.

Who has the link speaks for the address that the message went to. It is filled in once, within 30 days, and only while
the customer still has that address: whoever has it later is perhaps somebody else. A form that was on a screen when
somebody changed the address is still taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.customers.application.profile_checks import ADDRESS_FIELDS, checked_profile
from rebound.customers.domain import (
    BY_FORM,
    PROFILE,
    REQUIRED_FIELDS,
    Customer,
    FormUse,
    Kind,
    field_text,
    language_for,
)
from rebound.kernel.channels import Channel
from rebound.kernel.errors import InvalidInputError, NotFoundError
from rebound.kernel.ids import time_of
from rebound.kernel.local_time import wall_clock
from rebound.kernel.retrying import retried
from rebound.kernel.times import read_day
from rebound.kernel.written_text import tidied
from rebound.messages.domain.links import Link, Purpose, read_seen, write_seen

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import AddressReader
    from rebound.customers.application.customer_service import CustomerService
    from rebound.customers.ports import CustomerBook, ProfileHistory
    from rebound.messages.ports import LinkKeyring
    from rebound.platform.ports import Clock
    from rebound.preferences.application.follow_links import LinkReader

FIELDS: Final = ("first_name", "last_name", "email", "mobile_phone", "day_phone", "night_phone", "birthday")
"""What the form asks for."""
VALID_FOR: Final = timedelta(days=30)
ON_SCREEN: Final = timedelta(hours=2)
"""How long a form may have been open when it comes back, if the address was changed meanwhile."""
SEEN: Final = "seen"
"""The field of a form that proves when it was shown."""


class FormState(StrEnum):
    """How it stands with a form."""

    OPEN = "open"
    SAVED = "saved"
    """It has just been filled in."""
    USED = "used"
    EXPIRED = "expired"
    GONE = "gone"
    """The customer is deleted, or has left the address that the link went to."""


class Flaw(StrEnum):
    """What is wrong with what stands in a field."""

    REQUIRED = "required"
    TOO_LONG = "too_long"
    EMAIL = "email"
    PHONE = "phone"
    MOBILE = "mobile"
    DATE = "date"
    FUTURE = "future"
    SHARED = "shared"
    """Too many customers have the address."""


class FormField(Struct, frozen=True):
    """One field as it is shown: what stands in it, and what the profile had when that was read (``base``).

    ``theirs`` is what somebody else has written meanwhile. ``fails`` says that messages to the address came back.
    """

    name: str
    value: str
    base: str
    flaw: Flaw | None = None
    theirs: str | None = None
    fails: bool = False


class ProfileForm(Struct, frozen=True):
    """What the holder of a link sees; ``fields`` are those to be looked through."""

    business: Business
    language: str
    state: FormState
    fields: Sequence[FormField] = ()
    seen: str = ""
    """Proves that the form was shown; comes back with it."""

    @property
    def flawed(self) -> bool:
        """Whether something cannot be read."""
        return any(each.flaw is not None for each in self.fields)

    @property
    def contested(self) -> bool:
        """Whether somebody else has changed something meanwhile."""
        return any(each.theirs is not None for each in self.fields)


class OwnProfile(Struct, frozen=True, kw_only=True):
    """Shows the form, and takes what is filled in as the customer's own edit. Showing never changes anything.

    The form carries what it showed. What somebody else has changed since, and the customer too, to something else, is
    shown again with both values; all other fields go in. Both methods raise ``NotFoundError`` when it is no such link.
    """

    reader: LinkReader
    businesses: BusinessDirectory
    customers: CustomerBook
    history: ProfileHistory
    addresses: AddressReader
    keyring: LinkKeyring
    service: CustomerService
    clock: Clock

    def show(self, token: str) -> ProfileForm:
        """How it stands."""
        link = self._open(token)
        business, customer = self._whose(link)
        state = self._state(link, customer)
        fields = [_as_stored(customer, name) for name in FIELDS] if customer and state is FormState.OPEN else []
        return self._form(link, business, language_for(customer, business), fields, state)

    def fill_in(self, token: str, given: Mapping[str, str]) -> ProfileForm:
        """Take a form: ``<field>`` as it was filled in, ``was_<field>`` as it was shown."""
        link = self._open(token)
        return retried(lambda: self._taken(link, given))

    def _open(self, token: str) -> Link:
        link = self.reader.read(self.reader.token_behind(token), Purpose.PROFILE)
        if link is None:
            raise NotFoundError("link")
        return link

    def _whose(self, link: Link) -> tuple[Business, Customer | None]:
        business_id = link.message.business_id
        business = self.businesses.get(business_id)
        try:
            return business, self.customers.get(business_id, link.message.customer_id)
        except NotFoundError:
            return business, None

    def _form(
        self,
        link: Link,
        business: Business,
        language: str,
        fields: Sequence[FormField],
        state: FormState = FormState.OPEN,
    ) -> ProfileForm:
        seen = write_seen(link, self.clock.now(), self.keyring.keys()) if state is FormState.OPEN else ""
        return ProfileForm(business, language, state, fields, seen)

    def _was_shown(self, link: Link, seen: str) -> bool:
        at = read_seen(seen, link, self.keyring.keys()) if seen else None
        return at is not None and self.clock.now() < at + ON_SCREEN

    def _state(self, link: Link, customer: Customer | None, seen: str = "") -> FormState:
        if customer is None:
            return FormState.GONE
        message_id = link.message.message_id
        use = self.history.form(customer.business_id, customer.customer_id, message_id)
        if use is not None and use.done:
            return FormState.USED
        if self.clock.now() >= time_of(message_id) + VALID_FOR:
            return FormState.EXPIRED
        if any(link.contact in key.all_hashed for key in customer.contact_keys):
            return FormState.OPEN
        # Who has begun to fill it in may have changed the address with it.
        knew = use is not None or self._was_shown(link, seen)
        had = any(link.contact in key.all_hashed for key in customer.former_contacts)
        return FormState.OPEN if knew and had else FormState.GONE

    def _taken(self, link: Link, given: Mapping[str, str]) -> ProfileForm:
        business, customer = self._whose(link)
        language, state = language_for(customer, business), self._state(link, customer, given.get(SEEN, ""))
        if customer is None or state is not FormState.OPEN:
            return ProfileForm(business, language, state)
        filled = [_as_filled_in(customer, name, given) for name in FIELDS if name in given]
        profile, flaws = self._checked(filled, business)
        if flaws:
            return self._form(link, business, language, [_with_flaw(each, flaws) for each in filled])
        news, edited, contested = _sorted_out(customer, filled, profile)
        if not filled:
            return self._form(link, business, language, [_as_stored(customer, name) for name in FIELDS])
        if news or edited or not contested:
            use = FormUse(link.message.message_id, self.clock.now(), done=not contested)
            try:
                self.service.write_own(customer, news, edited, BY_FORM, use)
            except InvalidInputError as error:
                shared = dict.fromkeys((each.field for each in error.errors), Flaw.SHARED)
                return self._form(link, business, language, [_with_flaw(each, shared) for each in filled])
        return self._form(link, business, language, contested, state if contested else FormState.SAVED)

    def _checked(self, filled: Sequence[FormField], business: Business) -> tuple[dict[str, Any], Mapping[str, Flaw]]:
        """What is filled in, as profiles keep it, and what of it cannot be read."""
        today = wall_clock(self.clock.now(), business.time_zone).date()
        try:
            return checked_profile(
                {each.name: each.value for each in filled}, business, self.addresses, today, creating=False
            ), {}
        except InvalidInputError as error:
            values = {each.name: each.value for each in filled}
            return {}, {each.field: _flaw_of(each.field, values[each.field]) for each in error.errors}


def _as_stored(customer: Customer, name: str) -> FormField:
    value = field_text(customer, name)
    return FormField(name, value, value, fails=_fails(customer, name))


def _as_filled_in(customer: Customer, name: str, given: Mapping[str, str]) -> FormField:
    base = given.get(f"was_{name}")
    return FormField(
        name, given[name], field_text(customer, name) if base is None else base, fails=_fails(customer, name)
    )


def _fails(customer: Customer, name: str) -> bool:
    return customer.failed_email if name == "email" else name == "mobile_phone" and customer.failed_phone


def _with_flaw(field: FormField, flaws: Mapping[str, Flaw]) -> FormField:
    return FormField(field.name, field.value, field.base, flaws.get(field.name), fails=field.fails)


def _flaw_of(name: str, value: str) -> Flaw:
    if name in REQUIRED_FIELDS and not tidied(value):
        return Flaw.REQUIRED
    match PROFILE[name].kind:
        case Kind.EMAIL:
            return Flaw.EMAIL
        case Kind.PHONE:
            return Flaw.MOBILE if name in ADDRESS_FIELDS else Flaw.PHONE
        case Kind.DATE:
            return Flaw.FUTURE if _is_a_day(value) else Flaw.DATE
        case _:
            return Flaw.TOO_LONG


def _is_a_day(value: str) -> bool:
    try:
        read_day(tidied(value))
    except ValueError:
        return False
    return True


def _sorted_out(
    before: Customer, filled: Sequence[FormField], profile: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Channel], list[FormField]]:
    """What to write, the channels whose address was given or confirmed, and what is to be looked at again.

    What the customer left as it was shown is no edit, so that what somebody else wrote meanwhile stays.
    """
    news, edited, contested = dict[str, Any](), list[Channel](), list[FormField]()
    for field in filled:
        now, value = field_text(before, field.name), profile[field.name]
        wished = "" if value is None else str(value)
        is_touched, has_moved = wished != field.base, now != field.base
        if is_touched and has_moved and wished != now:
            contested.append(FormField(field.name, wished, now, theirs=now, fails=_fails(before, field.name)))
            continue
        if is_touched and wished != now:
            news[field.name] = value
        channel = ADDRESS_FIELDS.get(field.name)
        if channel is not None and wished and (is_touched or not has_moved):
            edited.append(channel)
    return news, edited, contested
