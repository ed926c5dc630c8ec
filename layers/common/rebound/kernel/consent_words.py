"""The words of consent: what an opt-out covers, and who or what said so."""

from enum import StrEnum
from typing import Final


class Scope(StrEnum):
    """What an opt-out covers."""

    ALL = "all"
    """Everything on the channel (STOP)."""
    MARKETING = "marketing"
    """What is sent to win business: marketing, Daily Deals, loyalty."""
    LOYALTY = "loyalty"
    """Loyalty messages alone."""
    TRANSACTIONAL = "transactional"
    """What is about somebody's appointments and purchases: reminders and transactional messages."""


COVERED_BY: Final = {
    Scope.ALL: (Scope.ALL,),
    Scope.MARKETING: (Scope.ALL, Scope.MARKETING),
    Scope.LOYALTY: (Scope.ALL, Scope.MARKETING, Scope.LOYALTY),
    Scope.TRANSACTIONAL: (Scope.ALL, Scope.TRANSACTIONAL),
}
"""For each scope, the scopes whose opt-outs keep its messages back, widest first: a tree, and this its ways down.

Marketing and transactional stand beside each other: an opt-out of one leaves the other as it is.
"""


ADJECTIVES: Final = {
    Scope.ALL: "all",
    Scope.MARKETING: "marketing",
    Scope.LOYALTY: "loyalty",
    Scope.TRANSACTIONAL: "reminder and transactional",
}
"""What stands before "emails" or "texts" in a sentence about the messages of a scope."""


class ConsentSource(StrEnum):
    """Who or what said so."""

    KEYWORD = "keyword"
    """The owner of the number, by a word such as STOP or START."""
    ONE_CLICK = "one_click"
    """The owner of the address, by the link in a message or on the page behind it."""
    DOUBLE_OPT_IN = "double_opt_in"
    """The owner of the address, by confirming what we asked."""
    COMPLAINT = "complaint"
    """The owner of the address, by marking a message as spam."""
    PROVIDER = "provider"
    """A provider that refused a message, because the owner had opted out with it."""
    STAFF = "staff"
    IMPORT = "import"
    API = "api"
    """A client of the API, for somebody it does not name."""
    REVIEW = "review"
    """Nobody yet: a text reads as if its owner had had enough, and staff have not read it."""
