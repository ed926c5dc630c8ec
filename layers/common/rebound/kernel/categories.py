"""What messages are for."""

from enum import StrEnum

from rebound.kernel.consent_words import Scope


class Category(StrEnum):
    """What a message is for; the rules about who may get it follow from it (D2)."""

    REMINDER = "reminder"
    TRANSACTIONAL = "transactional"
    MARKETING = "marketing"
    DAILY_DEAL = "daily_deal"
    LOYALTY = "loyalty"
    ONE_TO_ONE = "one_to_one"

    @property
    def is_promotional(self) -> bool:
        """Sent to win business: needs marketing consent, and a flagged contact does not get it (A3)."""
        return self in (Category.MARKETING, Category.DAILY_DEAL, Category.LOYALTY)

    @property
    def scopes(self) -> frozenset[Scope]:
        """The scopes of consent that it needs: to be opted out of one of them keeps it back."""
        scopes = {Scope.ALL}
        if self.is_promotional:
            scopes.add(Scope.MARKETING)
        if self is Category.LOYALTY:
            scopes.add(Scope.LOYALTY)
        return frozenset(scopes)
