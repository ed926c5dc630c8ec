"""Reading what is given for people who sign in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.languages import known_language
from rebound.kernel.written_text import is_one_line, tidied
from rebound.staff.domain import MAX_LOCATION, ROLES_OF_BUSINESSES, Role

if TYPE_CHECKING:
    from rebound.contacts.ports import AddressReader


def refuse_all_that_is_wrong(*reads: Callable[[], object]) -> None:
    """Raises one ``InvalidInputError`` with what all of them raise."""
    errors: list[FieldError] = []
    for read in reads:
        try:
            read()
        except InvalidInputError as error:
            errors += error.errors
    if errors:
        raise InvalidInputError(*errors)


def read_email(addresses: AddressReader, text: str) -> str:
    """The canonical address. Raises ``InvalidInputError``."""
    try:
        return addresses.email(text).lower()
    except ValueError as error:
        raise InvalidInputError(FieldError("email", str(error))) from None


def read_role(business_id: str | None, role: str) -> Role:
    """A role that there is in a business, or without one. Raises ``InvalidInputError``."""
    roles = (Role.OPERATOR,) if business_id is None else ROLES_OF_BUSINESSES
    if role not in roles:
        raise InvalidInputError(FieldError("role", f"Must be one of {', '.join(roles)}."))
    return Role(role)


def read_location(location_id: str | None) -> str | None:
    """A location as the business calls it; empty is none. Raises ``InvalidInputError``."""
    if location_id is None:
        return None
    location = tidied(location_id)
    if len(location) > MAX_LOCATION or not is_one_line(location):
        raise InvalidInputError(FieldError("location_id", f"Must be one line of at most {MAX_LOCATION} characters."))
    return location or None


def read_language(language: str | None) -> str | None:
    """A language that there are words in. Raises ``InvalidInputError``."""
    if language is None:
        return None
    try:
        return known_language(language)
    except ValueError as error:
        raise InvalidInputError(FieldError("language", str(error))) from None
