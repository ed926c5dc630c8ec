"""Reading and changing the settings of a business."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import replace
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.businesses.domain.business import Business, Recopying
from rebound.contacts.domain.replies import WORDS, Keyword, plain
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.languages import LANGUAGES
from rebound.kernel.local_time import time_zone
from rebound.kernel.retrying import retried

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory, RecopyQueue
    from rebound.contacts.ports import AddressReader

MAX_NAME: Final = 200
MESSAGING_SERVICE: Final = re.compile(r"MG[0-9a-fA-F]{32}")


BusinessChange = Mapping[str, Any]
"""New values by field name of ``Business``; a group of options is a mapping with only the options that change."""


class SettingsOfBusiness(Struct, frozen=True, kw_only=True):
    """Reads and changes the settings for the business itself.

    Every decision uses a new policy from its write on. The copies of flags, which lists filter by, follow in the
    background (``recopy_flags``).
    """

    businesses: BusinessDirectory
    addresses: AddressReader
    recopyings: RecopyQueue

    def get(self, business_id: str) -> Business:
        """The settings now."""
        return self.businesses.get(business_id)

    def change(self, business_id: str, change: BusinessChange) -> Business:
        """Set fields. Raises ``InvalidInputError``, and then nothing is changed.

        A change that names a policy enqueues a copying even if that policy is in force already: an earlier change may
        have died between writing the policy and enqueuing its copying.
        """
        business = write_change(self.businesses, self.addresses, business_id, change)
        if "policy" in change:
            self.recopyings.put(Recopying(business_id))
        return business


def write_change(
    businesses: BusinessDirectory, addresses: AddressReader, business_id: str, change: BusinessChange
) -> Business:
    """Write a change, retried on lost races; the new settings. Raises ``NotFoundError`` and ``InvalidInputError``."""

    def write() -> Business:
        business = changed_business(businesses.get(business_id), change, addresses)
        businesses.replace(business)
        return business

    return retried(write)


def changed_business(business: Business, change: BusinessChange, addresses: AddressReader) -> Business:
    """The business with the change checked and applied. Raises ``InvalidInputError`` with everything that is wrong."""
    country = str(change.get("country", business.country)).upper()
    errors: list[FieldError] = []
    checked: dict[str, Any] = {}
    for name, value in change.items():
        try:
            checked[name] = None if value is None else _checked(name, value, country, addresses)
        except ValueError as error:
            errors.append(FieldError(name, str(error)))
    if errors:
        raise InvalidInputError(*errors)
    options = {n: replace(getattr(business, n), **value) for n, value in checked.items() if isinstance(value, Mapping)}
    return replace(business, **{**checked, **options})


def _checked(name: str, value: Any, country: str, addresses: AddressReader) -> object:
    match name:
        case "name":
            return _line(value)
        case "country":
            return addresses.country(value)
        case "time_zone":
            return time_zone(value)
        case "owner_email" | "email_from":
            return addresses.email(value)
        case "text_from":
            return value if MESSAGING_SERVICE.fullmatch(value) else addresses.phone(value, country)
        case "text_answers":
            return _text_answers(value)
        case _:
            return value


def _text_answers(given: Mapping[str, Any]) -> Mapping[str, Any]:
    if "language" in given and given["language"] not in LANGUAGES:
        raise ValueError(f"language must be one of {', '.join(LANGUAGES)}.")
    for word in given.get("confirmation_words", ()):
        if not plain(word) or WORDS.get(plain(word)) in (Keyword.STOP, Keyword.HELP):
            raise ValueError("confirmation_words must have letters or digits, and none that means STOP or HELP.")
    return given


def _line(value: str) -> str:
    value = value.strip()
    if not value or len(value) > MAX_NAME or not value.isprintable():
        raise ValueError(f"Must be 1 to {MAX_NAME} characters on one line.")
    return value
