"""Values that stand for a recipient's where nobody is named: usual ones, and ones as long as they may be."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from rebound.businesses.domain.business import Business
from rebound.customers.domain import PROFILE, Customer, Kind
from rebound.kernel.channels import MAX_EMAIL, Channel
from rebound.templates.domain.footers import ALL_LINKS
from rebound.templates.domain.rendering import CUSTOMER_VARIABLES, LONGEST_USUAL, NONE_DECLARED, VARIABLES, values_of
from rebound.templates.domain.typed_values import VariableType, reader_of
from rebound.templates.domain.variables import Declared, examples_of, filled

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
_OWN: Final[Mapping[VariableType, str]] = {
    VariableType.TEXT: LETTER * LONGEST_USUAL,
    VariableType.URL: "https://".ljust(LONGEST_USUAL, "x"),
}


def example_customer(business: Business) -> Customer:
    """Somebody in whose name a message can be shown."""
    usual = {name: _USUAL[row.kind] for name, row in PROFILE.items() if row.kind in _USUAL}
    at = datetime(2020, 1, 1, tzinfo=UTC)
    return Customer(
        business_id=business.business_id, customer_id="0" * 32, created_at=at, updated_at=at, **usual, **_NAMES
    )


def example_values(business: Business, declared: Declared = NONE_DECLARED) -> Mapping[str, str]:
    """Usual values in a text, with the examples of variables that a template declares; the business's are its own."""
    customer = example_customer(business)
    known = values_of(customer, business)
    reader = reader_of(customer, business, Channel.SMS)
    shown = {name: each for name, each in examples_of(declared).items() if not known.get(name)}
    own = filled(declared, shown, known, reader).values
    return {**known, **own, **dict.fromkeys(ALL_LINKS, EXAMPLE_LINK)}


def longest_values(business: Business, declared: Declared = NONE_DECLARED) -> Mapping[str, str]:
    """Values as long as they may be, in letters that GSM-7 has not; the business's are its own.

    A customer's are as long as the profile allows, a template's own as long as they usually are at most.
    """
    usual = example_values(business, declared)
    own = {name: _OWN.get(each.type, usual[name]) for name, each in declared.items() if name not in VARIABLES}
    dates = [name for name, each in declared.items() if each.type is VariableType.DATE]
    values = {name: _longest(name) for name in CUSTOMER_VARIABLES if name not in dates}
    names = f"{values['first_name']} {values['last_name']}"
    return {**usual, **own, **values, "full_name": names}


def _longest(name: str) -> str:
    row = PROFILE[name]
    return _LONGEST.get(row.kind, LETTER * row.max_length)
