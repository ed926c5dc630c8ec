"""The categories of messages: one row each, which holds all that the rest of the code needs to know about it."""

from enum import StrEnum
from typing import Self

from msgspec import Struct

from rebound.kernel.consent_words import COVERED_BY, Scope


class CategoryTraits(Struct, frozen=True):
    """What the rules and the sentences about them need to know about a category.

    ``plural`` begins a sentence about the category's messages; ``adjective`` stands before "email" or "text". ``scope``
    is the narrowest consent scope that the messages need, and ``scope_to_many`` the one that they need when a campaign
    sends them; what needs that of marketing is promotional. ``waits_for_morning`` is true when texts are held back in
    quiet hours unless the business says otherwise.
    """

    plural: str
    adjective: str
    scope: Scope = Scope.ALL
    scope_to_many: Scope | None = None
    """``None`` where it is the same."""
    waits_for_morning: bool = False
    is_spaced: bool = False
    """Whether campaigns of it to the same people keep some days apart."""
    follows_reminders: bool = False
    """Whether a customer can switch it off by channel (``reminders`` of the profile)."""
    is_in_sequences: bool = False
    """Whether sequences may send it."""


class Category(StrEnum):
    """What a message is for; the rules about who may get it follow from it (D2)."""

    # "(D2)" is a row of the list of features. It stands in docs/openapi.json, which stays byte for byte for now.

    traits: CategoryTraits

    def __new__(cls, name: str, *traits: CategoryTraits) -> Self:
        """One row: the name in the API and in stored rows, and the traits. A row without traits fails at import."""
        category = str.__new__(cls, name)
        category._value_ = name
        [category.traits] = traits
        return category

    REMINDER = (
        "reminder",
        CategoryTraits("Reminders", "reminder", Scope.TRANSACTIONAL, waits_for_morning=True, follows_reminders=True),
    )
    TRANSACTIONAL = (
        "transactional",
        CategoryTraits("Transactional messages", "transactional", Scope.TRANSACTIONAL, is_in_sequences=True),
    )
    MARKETING = (
        "marketing",
        CategoryTraits(
            "Marketing messages", "marketing", Scope.MARKETING, waits_for_morning=True, is_in_sequences=True
        ),
    )
    DAILY_DEAL = (
        "daily_deal",
        CategoryTraits("Daily deals", "daily deal", Scope.MARKETING, waits_for_morning=True, is_in_sequences=True),
    )
    LOYALTY = (
        "loyalty",
        CategoryTraits(
            "Loyalty messages",
            "loyalty",
            Scope.LOYALTY,
            waits_for_morning=True,
            is_spaced=True,
            is_in_sequences=True,
        ),
    )
    # To many at once, it is no message to one person any more.
    ONE_TO_ONE = (
        "one_to_one",
        CategoryTraits("Messages to one person", "personal", scope_to_many=Scope.MARKETING),
    )

    @property
    def is_promotional(self) -> bool:
        """Whether the messages are sent to win business: they need marketing consent, and flagged contacts get none."""
        return Scope.MARKETING in self.scopes(to_many=False)

    @property
    def is_bulk(self) -> bool:
        """Whether campaigns of it are bulk: they need marketing consent, though one message of it may not."""
        return Scope.MARKETING in self.scopes(to_many=True)

    def scopes(self, *, to_many: bool) -> tuple[Scope, ...]:
        """The consent scopes that the messages need: an opt-out of any one of them keeps the messages back."""
        return COVERED_BY[(to_many and self.traits.scope_to_many) or self.traits.scope]
