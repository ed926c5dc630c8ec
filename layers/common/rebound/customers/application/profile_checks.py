"""Reading the fields of a profile: what is kept of what a client gave, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from rebound.businesses.domain.business import Business
from rebound.customers.application.recipients import read_recipients
from rebound.customers.domain import PROFILE, REQUIRED_FIELDS, UNSET, Kind, ProfileField
from rebound.kernel.channels import Channel
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.languages import known_language
from rebound.kernel.local_time import time_zone
from rebound.kernel.times import read_day
from rebound.kernel.written_text import folded, is_one_line, tidied

if TYPE_CHECKING:
    from rebound.contacts.ports import AddressReader

MAX_TAGS: Final = 50
MAX_TAG: Final = 64
A_DAY: Final = timedelta(days=1)
"""By which a day of the past may be ahead of the business's calendar: the customer may be farther east."""
ADDRESS_FIELDS: Final[Mapping[str, Channel]] = {"email": Channel.EMAIL, "mobile_phone": Channel.SMS}


def checked_profile(
    given: Mapping[str, Any], business: Business, addresses: AddressReader, today: date, *, creating: bool
) -> dict[str, Any]:
    """Profile fields as they are kept, from what a client gave (already of the right JSON types).

    ``today`` is by the business's calendar. Raises ``InvalidInputError`` with everything that is wrong.
    """
    profile: dict[str, Any] = {}
    errors = [
        FieldError(name, "Is required and cannot be empty.")
        for name in REQUIRED_FIELDS
        if (creating or name in given) and not tidied(str(given.get(name) or ""))
    ]
    flawed = {error.field for error in errors}
    for name, value in given.items():
        if name in flawed:
            continue
        try:
            profile[name] = _checked(name, value, business, addresses, today)
        except ValueError as error:
            errors.append(FieldError(name, str(error)))
    if errors:
        raise InvalidInputError(*errors)
    return profile


def checked_tags(given: Sequence[str]) -> tuple[str, ...]:
    """A customer's tags as they are kept. Raises ``InvalidInputError``."""
    try:
        return _tags(given)
    except ValueError as error:
        raise InvalidInputError(FieldError("general_tags", str(error))) from None


def _checked(name: str, value: Any, business: Business, addresses: AddressReader, today: date) -> object:
    row = PROFILE[name]
    if row.kind is Kind.TAGS:
        return _tags(value or ())
    if row.kind is Kind.RECIPIENTS:
        return read_recipients(value or (), business, addresses)
    read = tidied(value) if isinstance(value, str) else value
    if read is None or read == "":
        return UNSET[name]
    if row.kind is Kind.EMAIL:
        return addresses.email(value)
    if row.kind is Kind.PHONE:
        return addresses.phone(value, business.country, mobile=name in ADDRESS_FIELDS)
    return _in_itself(row, read, today)


def _in_itself(row: ProfileField, read: Any, today: date) -> object:
    """What is right or wrong whosever it is."""
    match row.kind:
        case Kind.TIME_ZONE:
            return time_zone(read)
        case Kind.LANGUAGE:
            return known_language(read)
        case Kind.DATE:
            return _date(read, today + A_DAY if row.past else date.max)
        case Kind.CHOICE:
            return _choice(read, row.choices)
        case Kind.TEXT:
            return _line(read, row.max_length)
        case _:
            return read


def _choice(value: str, choices: Sequence[str]) -> str:
    if value not in choices:
        raise ValueError(f"Must be one of {', '.join(choices)}.")
    return value


def _tags(values: Sequence[str]) -> tuple[str, ...]:
    spellings: dict[str, str] = {}
    for tag in map(tidied, values):
        spellings.setdefault(folded(tag), tag)
    tags = tuple(spellings.values())
    if len(tags) > MAX_TAGS or not all(0 < len(tag) <= MAX_TAG and is_one_line(tag) for tag in tags):
        raise ValueError(f"At most {MAX_TAGS} tags of 1 to {MAX_TAG} characters, without control characters.")
    return tags


def _date(value: str | date, latest: date) -> date:
    day = value if isinstance(value, date) else read_day(value)
    if day > latest:
        raise ValueError("Must not lie in the future.")
    return day


def _line(value: str, longest: int) -> str:
    if len(value) > longest or not is_one_line(value):
        raise ValueError(f"Must be at most {longest} characters on one line, without control characters.")
    return value
