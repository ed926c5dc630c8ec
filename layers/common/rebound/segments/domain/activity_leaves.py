"""The conditions of a filter that ask what a customer did. Days are calendar days of the business's zone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from rebound.customers.domain import Customer
from rebound.segments.domain.leaves import NEEDS_A_DAY
from rebound.segments.domain.matching import NOBODY, CustomerMatcher, Known, Moment, all_of, any_of
from rebound.segments.domain.reading import (
    Problems,
    Several,
    amount,
    currency,
    day_count,
    number,
    one_of,
    read_object,
    yes_or_no,
)
from rebound.segments.domain.reading import one_or_several as several
from rebound.segments.domain.reading import optional_text as text_or_null

if TYPE_CHECKING:
    from decimal import Decimal

    from rebound.activity.domain.summary import Membership, Summary

MOST: Final = 1_000_000
"""The largest count that a condition may ask for."""
LONGEST_AGO: Final = 3_650
OF_CLASSES: Final = ("class_id", "class_type", "template_id", "series_id")
LOCATION: Final = "location_id"
MEMBERSHIP_VALUES: Final = ("active", "not_active", "expired", "never")
"""How a membership may stand: one runs today; none does; none does and there was one; there never was one."""
_COUNT: Final = number(1, MOST)
_ACTIVE: Final = "active"
"""``MembershipStatus.ACTIVE``: what reads no activity loads none of it."""


def visits(problems: Problems, asked: object, path: str, at: Moment | None) -> CustomerMatcher:
    """So many visits at least, or at most, which whoever never came had; of classes, at a location, if any is named."""
    readers = {
        "at_least": _COUNT,
        "at_most": number(0, MOST),
        "within_days": day_count,
        **dict.fromkeys((*OF_CLASSES, LOCATION), several),
    }
    example = 'such as {"at_least": 3, "within_days": 90, "class_id": "yoga"}'
    read = read_object(problems, asked, path, readers, example)
    if read is None or not _one(problems, read, path, ("at_least", "at_most"), example):
        return NOBODY
    names = [name for name in OF_CLASSES if name in read]
    if len(names) > 1:
        return problems.wrong(path, f"May have one of {', '.join(OF_CLASSES)}, not several.")
    if at is None:
        return NEEDS_A_DAY
    first, last = _days(read, at)
    least, most = read.get("at_least", 0), read.get("at_most", MOST)

    def of(which: Mapping[str, str]) -> CustomerMatcher:
        return by_activity(lambda summary: least <= summary.visits(first, last, **which) <= most)

    return _for_each((*names, LOCATION), read, of)


def last_visit(problems: Problems, asked: object, path: str, at: Moment | None) -> CustomerMatcher:
    """The last visit lies longer ago; nobody who never came."""
    example = 'such as {"before_days": 30}'
    read = read_object(problems, asked, path, {"before_days": number(0, LONGEST_AGO)}, example)
    if read is None or not _one(problems, read, path, ("before_days",), example):
        return NOBODY
    if at is None:
        return NEEDS_A_DAY
    before = at.today - timedelta(days=read["before_days"])
    return by_activity(lambda summary: summary.last_visit is not None and summary.last_visit < before)


def bookings(problems: Problems, asked: object, path: str, at: Moment | None) -> CustomerMatcher:
    """A booking that was not cancelled is to come, or none is; of a class, at a location, if any is named."""
    example = 'such as {"upcoming": true}'
    readers = {"upcoming": yes_or_no, "class_id": several, LOCATION: several}
    read = read_object(problems, asked, path, readers, example)
    if read is None or not _one(problems, read, path, ("upcoming",), example):
        return NOBODY
    if at is None:
        return NEEDS_A_DAY
    now, upcoming = at.now, read["upcoming"]

    def of(which: Mapping[str, str]) -> CustomerMatcher:
        class_id, location_id = which.get("class_id"), which.get(LOCATION)

        def holds(summary: Summary) -> bool:
            coming = (each.offer for each in summary.bookings if each.starts_at >= now)
            return upcoming is any(
                class_id in (None, offer.class_id) and location_id in (None, offer.location_id) for offer in coming
            )

        return by_activity(holds)

    return _for_each(("class_id", LOCATION), read, of)


def purchases(problems: Problems, asked: object, path: str, at: Moment | None) -> CustomerMatcher:
    """So many purchases, or so much paid in one currency: sums of different currencies are never added up."""
    readers = {
        "at_least": _COUNT,
        "amount_at_least": amount,
        "currency": currency,
        "within_days": day_count,
        "product_id": several,
    }
    example = 'such as {"amount_at_least": "100.00", "currency": "EUR", "within_days": 365}'
    read = read_object(problems, asked, path, readers, example)
    if read is None or not _one(problems, read, path, ("at_least", "amount_at_least"), example):
        return NOBODY
    if "currency" in read and "at_least" in read:
        return problems.wrong(f"{path}.currency", "Is for amount_at_least.")
    if at is None:
        return NEEDS_A_DAY
    first, last = _days(read, at)

    def of(which: Mapping[str, str]) -> CustomerMatcher:
        product = which.get("product_id")
        if "at_least" in read:
            return by_activity(lambda summary: summary.purchases(first, last, product_id=product) >= read["at_least"])
        return by_activity(
            lambda summary: _reaches(
                summary.spent(first, last, product_id=product), read["amount_at_least"], read.get("currency")
            )
        )

    return _for_each(("product_id",), read, of)


def membership(problems: Problems, asked: object, path: str, at: Moment | None) -> CustomerMatcher:
    """How a membership stands, or with no id any: one that runs is enough to be active."""
    example = 'such as {"id": null, "is": "active"}'
    read = read_object(problems, asked, path, {"id": text_or_null, "is": one_of(MEMBERSHIP_VALUES)}, example)
    if read is None or not _one(problems, read, path, ("is",), example):
        return NOBODY
    if at is None:
        return NEEDS_A_DAY
    today, membership_id, stands = at.today, read.get("id"), read["is"]

    def holds(summary: Summary) -> bool:
        known = summary.memberships
        own = known.values() if membership_id is None else [known[membership_id]] if membership_id in known else []
        active = any(_runs(each, today) for each in own)
        match stands:
            case "active":
                return active
            case "not_active":
                return not active
            case "expired":
                return bool(own) and not active
            case _:
                return not own

    return by_activity(holds)


def by_activity(holds: Callable[[Summary], bool]) -> CustomerMatcher:
    """A condition about what a customer did."""

    def test(customer: Customer, known: Known) -> bool | None:
        summary = known.summaries.get(customer.customer_id)
        return None if summary is None else holds(summary)

    return CustomerMatcher(test, is_timed=True, asks_activity=True)


def _runs(membership: Membership, today: date) -> bool:
    return membership.status == _ACTIVE and (membership.until is None or membership.until >= today)


def _reaches(spent: Mapping[str, Decimal], least: Decimal, in_currency: str | None) -> bool:
    return any(sum_ >= least for name, sum_ in spent.items() if in_currency in (None, name))


def _days(read: Mapping[str, Any], at: Moment) -> tuple[date, date]:
    """From which day to today: so many days before it, or for ever."""
    within_days = read.get("within_days")
    return (date.min if within_days is None else at.today - timedelta(days=within_days)), at.today


def _for_each(
    names: Sequence[str], read: Mapping[str, Any], of: Callable[[Mapping[str, str]], CustomerMatcher]
) -> CustomerMatcher:
    """The condition for each value of the names that are given: all of a name's values, unless one is enough."""

    def of_each(left: Sequence[str], which: Mapping[str, str]) -> CustomerMatcher:
        if not left:
            return of(which)
        [name, *others] = left
        values: Several | None = read.get(name)
        if values is None:
            return of_each(others, which)
        parts = [of_each(others, {**which, name: each}) for each in values.values]
        return any_of(parts) if values.one_is_enough else all_of(parts)

    return of_each(names, {})


def _one(problems: Problems, read: Mapping[str, Any], path: str, names: Sequence[str], example: str) -> bool:
    """Whether exactly one of the names is given; notes it when not."""
    if sum(name in read for name in names) == 1:
        return True
    what = f"exactly one of {', '.join(names)}" if len(names) > 1 else names[0]
    problems.wrong(path, f"Must have {what}, {example}.")
    return False
