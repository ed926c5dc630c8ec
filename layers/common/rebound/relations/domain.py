"""Who belongs to whom: links between customers, and to people and pets that are no customers."""

from __future__ import annotations

from collections.abc import Mapping
from copy import replace
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from rebound.kernel.written_text import folded

MOST: Final = 50
"""Relations of one customer, whatever their status."""
MOST_ASKED: Final = 5
"""Invitations to one address on each day of the business's calendar: members of a family may share it."""
MAX_RELATIONSHIP: Final = 50
MAX_NAME: Final = 200


class RelationStatus(StrEnum):
    """Whether both sides agree; only the first answer counts."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"


class Relation(Struct, frozen=True, kw_only=True):
    """One relation as one customer sees it.

    ``relationship`` is what the other is to the customer. Who is a customer has ``other_id``, who is none has a
    ``name``. ``invitation`` is the id of the message that asks, ``None`` where nobody is asked.
    """

    relation_id: str
    relationship: str
    status: RelationStatus
    created_at: datetime
    other_id: str | None = None
    name: str | None = None
    invitation: str | None = None
    answered_at: datetime | None = None


class Relations(Struct, frozen=True, kw_only=True):
    """All relations of one customer, by id; ``version`` is that of the stored row, 0 for none yet."""

    business_id: str
    customer_id: str
    entries: Mapping[str, Relation] = MappingProxyType({})
    version: int = 0

    def with_one(self, relation: Relation) -> Relations:
        """These with one more, or with another state of one."""
        return replace(self, entries={**self.entries, relation.relation_id: relation})

    def without(self, relation_id: str) -> Relations:
        """These without one."""
        return replace(self, entries={each: one for each, one in self.entries.items() if each != relation_id})

    def to(self, other_id: str | None, name: str | None) -> Relation | None:
        """The relation to another customer, or to somebody of a name who is none."""
        for each in self.entries.values():
            if other_id is not None and each.other_id == other_id:
                return each
            if name is not None and each.name is not None and folded(each.name) == folded(name):
                return each
        return None


class Invitation(Struct, frozen=True):
    """Which relation a message asks about, and who asks."""

    message_id: str
    customer_id: str
    relation_id: str


class AskedAt(Struct, frozen=True, kw_only=True):
    """The invitations that went to one address, which is known by its digest alone.

    ``message_id`` is that of the latest, in the log of the customer ``log_of``; ``times`` counts those of the local day
    ``day``. ``version`` is that of the stored row, 0 for none yet.
    """

    business_id: str
    digest: str
    log_of: str = ""
    message_id: str = ""
    day: date | None = None
    times: int = 0
    version: int = 0

    def once_more(self, on: date, log_of: str, message_id: str) -> AskedAt:
        """After one more invitation, on a local day."""
        times = self.times + 1 if self.day == on else 1
        return replace(self, log_of=log_of, message_id=message_id, day=on, times=times)


_PAIRS: Final = (
    ("parent", "child"),
    ("stepparent", "stepchild"),
    ("grandparent", "grandchild"),
    ("godparent", "godchild"),
    ("parent-in-law", "child-in-law"),
    ("guardian", "ward"),
    ("caregiver", "cared for"),
    ("aunt or uncle", "niece or nephew"),
    ("owner", "pet"),
)
_ALIKE: Final = (
    *("partner", "spouse", "fiance", "sibling", "twin", "cousin", "relative", "family", "friend", "neighbour"),
    *("neighbor", "colleague", "roommate", "other"),
)
_OTHERS: Final = {
    **dict.fromkeys(("mother", "father", "mom", "mum", "dad"), "child"),
    **dict.fromkeys(("son", "daughter"), "parent"),
    **dict.fromkeys(("stepmother", "stepfather"), "stepchild"),
    **dict.fromkeys(("stepson", "stepdaughter"), "stepparent"),
    **dict.fromkeys(("grandmother", "grandfather", "grandma", "grandpa"), "grandchild"),
    **dict.fromkeys(("grandson", "granddaughter"), "grandparent"),
    **dict.fromkeys(("godmother", "godfather"), "godchild"),
    **dict.fromkeys(("godson", "goddaughter"), "godparent"),
    **dict.fromkeys(("mother-in-law", "father-in-law"), "child-in-law"),
    **dict.fromkeys(("son-in-law", "daughter-in-law"), "parent-in-law"),
    **dict.fromkeys(("aunt", "uncle"), "niece or nephew"),
    **dict.fromkeys(("niece", "nephew"), "aunt or uncle"),
    **dict.fromkeys(("wife", "husband"), "spouse"),
    **dict.fromkeys(("girlfriend", "boyfriend"), "partner"),
    **dict.fromkeys(("brother", "sister"), "sibling"),
    **dict.fromkeys(("dog", "cat", "horse"), "owner"),
}
"""What the customer is to somebody; of these the other side's sex does not say the customer's."""
_REVERSED: Final[Mapping[str, str]] = {
    **_OTHERS,
    **dict(_PAIRS),
    **{back: there for there, back in _PAIRS},
    **{word: word for word in _ALIKE},
}
UNKNOWN: Final = "family or friend"


def seen_from_there(relationship: str) -> str:
    """What the customer is to the other, who is the ``relationship`` to the customer; any case, by its English word."""
    return _REVERSED.get(folded(relationship), UNKNOWN)
