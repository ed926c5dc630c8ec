"""Values that stand for a recipient's where nobody is named: usual ones, and ones as long as they may be."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from rebound.businesses.domain.business import Business
from rebound.customers.domain import PROFILE, Customer, Kind
from rebound.kernel.channels import MAX_EMAIL
from rebound.templates.domain.footers import ALL_LINKS
from rebound.templates.domain.rendering import CUSTOMER_VARIABLES, values_of

_USUAL: Final[Mapping[Kind, Any]] = {
    Kind.EMAIL: "ana@example.com",
    Kind.PHONE: "+14155550123",
    Kind.DATE: date(1990, 4, 23),
}
_NAMES: Final[Mapping[str, Any]] = {"first_name": "Ana", "last_name": "Silva", "external_id": "4711"}
EXAMPLE_LINK: Final = f"https://{'a' * 10}.execute-api.us-east-1.amazonaws.com/live/v1/stop/{'b' * 16}"
"""As long as links in texts are where the API has the address that AWS gave it."""
LETTER: Final = "ł"
"""One that GSM-7 has not."""
_LONGEST: Final[Mapping[Kind, str]] = {
    Kind.EMAIL: "x" * MAX_EMAIL,
    Kind.PHONE: f"+{'1' * 15}",
    Kind.DATE: "1990-04-23",
}


def example_customer(business: Business) -> Customer:
    """Somebody in whose name a message can be shown."""
    usual = {name: _USUAL[row.kind] for name, row in PROFILE.items() if row.kind in _USUAL}
    at = datetime(2020, 1, 1, tzinfo=UTC)
    return Customer(
        business_id=business.business_id, customer_id="0" * 32, created_at=at, updated_at=at, **usual, **_NAMES
    )


def example_values(business: Business) -> Mapping[str, str]:
    """Usual values; those of the business are its own."""
    return {**values_of(example_customer(business), business), **dict.fromkeys(ALL_LINKS, EXAMPLE_LINK)}


def longest_values(business: Business) -> Mapping[str, str]:
    """Values of a customer as long as the profile allows, in letters that GSM-7 has not; the business's are its own."""
    values = {name: _longest(name) for name in CUSTOMER_VARIABLES}
    names = f"{values['first_name']} {values['last_name']}"
    return {**example_values(business), **values, "full_name": names}


def _longest(name: str) -> str:
    row = PROFILE[name]
    return _LONGEST.get(row.kind, LETTER * row.max_length)
