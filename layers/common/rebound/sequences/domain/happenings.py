"""What happens with a customer, as sequences know it: what starts them, what somebody waits for, and what ends them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from rebound.kernel.written_text import folded


class Kind(StrEnum):
    """What happened."""

    BOOKING = "booking"
    VISIT = "visit"
    NO_SHOW = "no_show"
    CANCELLATION = "cancellation"
    CHECK_IN = "check_in"
    PURCHASE = "purchase"
    REVIEW = "review"
    PACKAGE_LAST_CREDIT = "package_last_credit"
    """The last credit of a package was used."""
    MEMBERSHIP_EXPIRING = "membership_expiring"
    """A membership ends in so many days."""
    RENEWAL_FAILED = "renewal_failed"
    WAIVER_CHANGED = "waiver_changed"
    WAIVER_SIGNED = "waiver_signed"
    MISSED_CALL = "missed_call"
    REPLY = "reply"
    TAG_ADDED = "tag_added"
    SEGMENT_ENTERED = "segment_entered"
    CUSTOM = "custom"
    """Something of the business's own, which its software tells."""


_OF_CLASSES: Final = ("class_id", "class_type", "template_id", "series_id", "location_id")
NARROWED_BY: Final[Mapping[Kind, tuple[str, ...]]] = MappingProxyType(
    {
        Kind.BOOKING: _OF_CLASSES,
        Kind.VISIT: _OF_CLASSES,
        Kind.NO_SHOW: (),
        Kind.CANCELLATION: (),
        Kind.CHECK_IN: (),
        Kind.PURCHASE: ("product_id",),
        Kind.REVIEW: (),
        Kind.PACKAGE_LAST_CREDIT: ("package_id",),
        Kind.MEMBERSHIP_EXPIRING: ("membership_id",),
        Kind.RENEWAL_FAILED: ("membership_id",),
        Kind.WAIVER_CHANGED: ("waiver_id",),
        Kind.WAIVER_SIGNED: ("waiver_id",),
        Kind.MISSED_CALL: (),
        Kind.REPLY: (),
        Kind.TAG_ADDED: ("tag",),
        Kind.SEGMENT_ENTERED: ("segment_id",),
        Kind.CUSTOM: ("name",),
    }
)
"""By what a kind may be narrowed down to some of its happenings."""
NEEDED: Final[Mapping[Kind, str]] = MappingProxyType(
    {Kind.TAG_ADDED: "tag", Kind.SEGMENT_ENTERED: "segment_id", Kind.CUSTOM: "name"}
)
"""What some kinds mean nothing without."""
STARTS: Final = frozenset(
    {
        Kind.VISIT,
        Kind.PACKAGE_LAST_CREDIT,
        Kind.MEMBERSHIP_EXPIRING,
        Kind.RENEWAL_FAILED,
        Kind.WAIVER_CHANGED,
        Kind.MISSED_CALL,
        Kind.REPLY,
        Kind.TAG_ADDED,
        Kind.SEGMENT_ENTERED,
        Kind.CUSTOM,
    }
)
"""What may start a sequence; each of the others may end one, or be waited for."""
PLANNED: Final = frozenset({Kind.MEMBERSHIP_EXPIRING})
"""What is still to come when it is told of, and may be told otherwise until it does."""
OBJECTS: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.PACKAGE_LAST_CREDIT: "package_id",
        Kind.MEMBERSHIP_EXPIRING: "membership_id",
        Kind.RENEWAL_FAILED: "membership_id",
        Kind.WAIVER_CHANGED: "waiver_id",
        Kind.WAIVER_SIGNED: "waiver_id",
    }
)
"""What some are about of which a customer may have several, by its name among ``NARROWED_BY``."""
LOGGED: Final = frozenset(
    {
        Kind.BOOKING,
        Kind.VISIT,
        Kind.NO_SHOW,
        Kind.CANCELLATION,
        Kind.CHECK_IN,
        Kind.PURCHASE,
        Kind.REVIEW,
        Kind.PACKAGE_LAST_CREDIT,
        Kind.MEMBERSHIP_EXPIRING,
        Kind.RENEWAL_FAILED,
        Kind.WAIVER_SIGNED,
    }
)
"""What the log of a customer's activity tells again."""


class Happening(Struct, frozen=True, kw_only=True):
    """Which happenings are meant: those of a kind, and of these only those that are about ``about``, where it is set.

    ``about`` has names of ``NARROWED_BY``. ``days_before`` is how long before its end a membership expires.
    """

    kind: Kind
    about: Mapping[str, str] = MappingProxyType({})
    days_before: int | None = None

    @property
    def is_planned(self) -> bool:
        """Whether it is still to come when it is told of."""
        return self.kind in PLANNED

    def means(self, happened: Happened) -> bool:
        """Whether it is one of these."""
        return self.kind is happened.kind and all(
            _is_alike(name, happened.about.get(name), value) for name, value in self.about.items()
        )


def tag_name(tag: str) -> str:
    """By what it is told that somebody was given a tag: people write tags, and may name somebody in them (truth 12).

    Tags that filters find alike have the same.
    """
    return sha256(folded(tag).encode()).hexdigest()[:32]


def _is_alike(name: str, happened: str | None, meant: str) -> bool:
    return happened == (tag_name(meant) if name == "tag" else meant)


class Happened(Struct, frozen=True, kw_only=True):
    """Something that happened with a customer.

    It goes through queues, and so has nothing in it that people write (truth 12): what it is ``about`` are ids, and of
    a tag its ``tag_name``. ``key`` names it, the same however often it is told: the id of the event, of the reply, of
    the call. ``at`` is when it happened, by who told it. ``due_at`` is set of what is still to come, such as the end of
    a membership; ``is_withdrawn`` says that it does not come any more. What does not ``starts`` only ends and wakes.
    What is told at once (``is_live``), at a time of our own, starts what was on by then, however late it comes.
    ``caused_by`` are the sequences whose doing it is, each because of the one before: it starts none of them again.
    """

    kind: Kind
    key: str
    at: datetime
    about: Mapping[str, str] = MappingProxyType({})
    due_at: datetime | None = None
    is_withdrawn: bool = False
    starts: bool = True
    is_live: bool = False
    caused_by: tuple[str, ...] = ()
