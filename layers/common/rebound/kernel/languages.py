"""The languages in which Rebound itself writes to customers, and which of them somebody reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.customers.domain import Customer

LANGUAGES: Final = ("de", "en", "es", "fr", "pt")
"""ISO 639-1."""


def known_language(value: str) -> str:
    """One of the languages, in any case. Raises ``ValueError`` with a sentence for people."""
    language = value.strip().lower()
    if language not in LANGUAGES:
        raise ValueError(f"Must be one of {', '.join(LANGUAGES)}.")
    return language


def language_for(customer: Customer | None, business: Business) -> str:
    """The customer's own, else the business's."""
    own = None if customer is None else customer.language
    return own or business.language


def shared_language(customers: Iterable[Customer]) -> str | None:
    """The one language of people who cannot be told apart; ``None`` when they have several, or nobody says which."""
    spoken = {customer.language for customer in customers if customer.language is not None}
    return spoken.pop() if len(spoken) == 1 else None
