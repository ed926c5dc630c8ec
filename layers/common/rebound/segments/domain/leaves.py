"""The conditions of a filter that ask the profile and the contacts."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Final

from rebound.customers.domain import (
    PROFILE,
    Customer,
    Kind,
    field_text,
    field_texts,
    fields_of,
    has_failed,
    last_change,
)
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import Scope
from rebound.kernel.search import compile_search, is_number
from rebound.kernel.written_text import folded
from rebound.segments.domain.matching import CustomerMatcher, Known, Moment, by_profile

MAX_DAYS: Final = 400
"""How far conditions that count days look: over a year, and what is counted by day is kept for as long."""
CONSENT_VALUES: Final = ("opted_in", "opted_out", "confirmed")
"""How consent may stand: no opt-out covers the scope; one does; none does, and the customer asked for marketing."""
DATE_FIELDS: Final = fields_of(Kind.DATE)
_FEBRUARY: Final = 2


def _undated(_customer: Customer, _known: Known) -> bool:
    raise ValueError("the filter asks for a day, and was compiled for none")


NEEDS_A_DAY: Final = CustomerMatcher(_undated, is_timed=True)
"""A condition that can be checked and not asked."""


def tagged(tag: str) -> CustomerMatcher:
    """Those with a tag, without regard to case and accents."""
    wanted = folded(tag)
    return by_profile(lambda customer: any(wanted == folded(own) for own in customer.general_tags))


def failing(which: str) -> CustomerMatcher:
    """Those whose addresses failed, one of ``FAILED_VALUES``."""
    return by_profile(lambda customer: has_failed(customer, which))


def with_value(name: str, values: Sequence[str]) -> CustomerMatcher:
    """Those of whom a field has one of the values: whole, folded; numbers by their digits."""
    kind = PROFILE[name].kind if name in PROFILE else None
    if kind is Kind.PHONE:
        return by_profile(lambda customer: any(is_number(value, field_text(customer, name)) for value in values))
    wanted = frozenset(map(folded, values))
    if kind is Kind.RECIPIENTS:
        return by_profile(lambda customer: not wanted.isdisjoint(map(folded, field_texts(customer, name))))
    return by_profile(lambda customer: folded(field_text(customer, name)) in wanted)


def with_something(name: str, *, present: bool) -> CustomerMatcher:
    """Those of whom a field is filled in, or is not."""
    return by_profile(lambda customer: bool(field_texts(customer, name)) is present)


def dated(name: str, holds: Callable[[date], bool]) -> CustomerMatcher:
    """Those of whom a date is as asked; nobody without one."""

    def test(customer: Customer) -> bool:
        value: date | None = getattr(customer, name)
        return value is not None and holds(value)

    return by_profile(test)


def with_birthday(within_days: int, moment: Moment | None) -> CustomerMatcher:
    """Those whose birthday comes within so many days, today's included; nobody of whom it is not known."""
    if moment is None:
        return NEEDS_A_DAY
    today = moment.today
    last = today + timedelta(days=within_days)

    def test(customer: Customer) -> bool:
        born = customer.birthday
        return born is not None and next_birthday(born, today) <= last

    return CustomerMatcher(lambda customer, _: test(customer), is_timed=True)


def next_birthday(born: date, today: date) -> date:
    """The next birthday, today's included. Who was born on 29 February has it on the 28th in other years."""
    this_year = _birthday_in(born, today.year)
    return this_year if this_year >= today else _birthday_in(born, today.year + 1)


def _birthday_in(born: date, year: int) -> date:
    try:
        return born.replace(year=year)
    except ValueError:
        return date(year, _FEBRUARY, 28)


def consenting(channel: Channel, scope: Scope, stands: str) -> CustomerMatcher:
    """Those whose consent stands so; nobody without an address on the channel, for whom nothing can be said."""

    def test(customer: Customer, known: Known) -> bool | None:
        key = customer.contact_key(channel)
        if key is None:
            return False
        contact = known.contacts.get(key)
        if contact is None:
            return None
        if contact.consent.keeps_back(scope):
            return stands == "opted_out"
        return stands == "opted_in" or (stands == "confirmed" and contact.consent.is_confirmed)

    return CustomerMatcher(test, frozenset({channel}))


def changed_since(since: datetime) -> CustomerMatcher:
    """Those of whom the profile, a flag or consent was written since."""

    def test(customer: Customer, known: Known) -> bool | None:
        if last_change(customer, ()) >= since:
            return True
        contacts = [known.contacts.get(key) for key in customer.contact_keys]
        read = [contact for contact in contacts if contact is not None]
        return None if len(read) < len(contacts) else last_change(customer, read) >= since

    return CustomerMatcher(test, frozenset(Channel))


def searching(q: str) -> CustomerMatcher:
    """Those in whose names, addresses, numbers and external id all words of a search occur."""
    search = compile_search(q)
    return by_profile(
        lambda customer: search(tuple(filter(None, _searched(customer))), tuple(filter(None, _numbers(customer))))
    )


_numbers: Final = attrgetter(*fields_of(Kind.PHONE))
_searched: Final = attrgetter(*(name for name, row in PROFILE.items() if row.searched and row.kind is not Kind.PHONE))
