"""What messages are for: a row for each category, which is all that the rest has to know of it."""

from enum import StrEnum
from typing import Self

from msgspec import Struct

from rebound.kernel.consent_words import COVERED_BY, Scope


class CategoryTraits(Struct, frozen=True):
    """What the rules and the sentences have to know of a category.

    ``plural`` begins a sentence about its messages, ``adjective`` stands before "email" or "text". ``scope`` is the
    narrowest scope of consent that they need. ``waits_for_morning`` when texts are held back in quiet hours unless the
    business says otherwise.
    """

    plural: str
    adjective: str
    scope: Scope = Scope.ALL
    waits_for_morning: bool = False


class Category(StrEnum):
    """What a message is for; the rules about who may get it follow from it (D2)."""

    # "(D2)" is a row of the list of features. It stands in docs/openapi.json, which stays byte for byte for now.

    traits: CategoryTraits

    def __new__(cls, name: str, *traits: CategoryTraits) -> Self:
        """A row: the name in the API and in stored rows, and the traits. Without them, the module does not load."""
        category = str.__new__(cls, name)
        category._value_ = name
        [category.traits] = traits
        return category

    REMINDER = "reminder", CategoryTraits("Reminders", "reminder", waits_for_morning=True)
    TRANSACTIONAL = "transactional", CategoryTraits("Transactional messages", "transactional")
    MARKETING = "marketing", CategoryTraits("Marketing messages", "marketing", Scope.MARKETING, waits_for_morning=True)
    DAILY_DEAL = "daily_deal", CategoryTraits("Daily deals", "daily deal", Scope.MARKETING, waits_for_morning=True)
    LOYALTY = "loyalty", CategoryTraits("Loyalty messages", "loyalty", Scope.LOYALTY, waits_for_morning=True)
    ONE_TO_ONE = "one_to_one", CategoryTraits("Messages to one person", "personal")

    @property
    def is_promotional(self) -> bool:
        """Sent to win business: needs marketing consent, and a flagged contact does not get it."""
        return self.traits.scope is not Scope.ALL

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The scopes of consent that it needs: to be opted out of one of them keeps it back."""
        return COVERED_BY[self.traits.scope]
