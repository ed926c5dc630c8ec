"""Who matches what a sequence is entered by: a segment, or the sequence's own filter.

Entering is beginning to match. A look goes through all customers, and remembers who matches; later looks, each night
and with each activity, find who has begun to and who has ceased. Whoever matches when it is switched on, or when what
is asked for is another, has not entered: the first look remembers them. Who begins to match while it is under way is
not told apart by what is remembered; so of whom an activity or a tag is told then, it is asked whether they matched
before.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, json

if TYPE_CHECKING:
    from rebound.sequences.domain.sequences import KnownSequence


SETTLES: Final = timedelta(hours=1)
"""So long after the first look, what happened while it was under way may still be told."""


class Look(Struct, frozen=True, kw_only=True):
    """What customers are looked at for (``look_of``), since ``began_at``.

    ``done_at`` is when all of them were, for the first time. ``row_version`` counts the writes of the stored row, 0 for
    none yet.
    """

    name: str
    began_at: datetime
    done_at: datetime | None = None
    row_version: int = 0

    @property
    def look_id(self) -> str:
        """What is asked for may be another in between, and the same again: then this is another, too."""
        return f"{self.name}@{self.began_at.isoformat()}"

    def is_settled(self, now: datetime) -> bool:
        """Whether who matches unremembered has begun to since it is looked for, whoever it is."""
        return self.done_at is not None and now > self.done_at + SETTLES


class MemberKey(Struct, frozen=True, order=True):
    """Who, in the memory of which sequence (``uid``)."""

    business_id: str
    uid: str
    customer_id: str


class Member(Struct, frozen=True, kw_only=True):
    """Somebody who matches, or did. ``entered`` counts how often they have begun to.

    ``look`` names what was asked for (``Look.look_id``): what is remembered of another is nothing. ``row_version``
    counts the writes of the stored row, 0 for none yet.
    """

    key: MemberKey
    look: str
    is_in: bool
    entered: int
    row_version: int = 0


def look_of(sequence: KnownSequence, tree: Mapping[str, Any]) -> str:
    """The name of what is asked for, since it is: another when it is switched on again or the filter is another."""
    asked = json.encode([sequence.uid, sequence.switched_at, tree], order="deterministic")
    return sha256(asked).hexdigest()[:24]


def entry_key_of(member: Member) -> str:
    """By what their entering is known again, whoever notices it first."""
    return f"{member.look}#{member.entered}"
