"""What is said of events, and which word is the last: decided when the API takes it, not when a queue delivers it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from msgspec import Struct
from msgspec.msgpack import encode

from rebound.activity.domain.events import Event  # noqa: TC001 - msgspec reads the annotations
from rebound.activity.domain.summary import Summary  # noqa: TC001 - the same

WAITS: Final = timedelta(days=30)
"""How long activity of somebody who is no customer yet is kept for them."""
WAIT_OVER: Final = "activity_unclaimed"
"""The kind of the timers of people who are not customers yet; the key is ``<business_id>#<customer_id>``."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_DIGITS: Final = 14


def stamp_of(at: datetime, tie: str = "") -> str:
    """The name of a moment, which sorts by it; without ``tie``, before all words of that moment."""
    return f"{(at - _EPOCH) // _MICROSECOND:0{_DIGITS}x}{tie}"


def time_of_stamp(stamp: str) -> datetime:
    """The moment of a stamp."""
    return _EPOCH + int(stamp[:_DIGITS], 16) * _MICROSECOND


def delay_of(stamp: str, at: datetime) -> timedelta:
    """How long after something happened it was said, by the stamp of the word."""
    return time_of_stamp(stamp) - at


class Place(Struct, frozen=True, array_like=True):
    """Under whom and by which time an event is kept."""

    customer_id: str
    at: datetime


class Word(Struct, frozen=True, array_like=True):
    """One word about an event: what it is, or with no ``event`` that it is taken back.

    ``stamp`` sorts words: the last one holds. ``external`` says that the customer was named by the business's own id,
    and may not be known yet.
    """

    event_id: str
    stamp: str
    customer_id: str | None = None
    event: Event | None = None
    external: bool = False

    @property
    def delay(self) -> timedelta | None:
        """How long after the event it was said; ``None`` of what takes back."""
        return None if self.event is None else delay_of(self.stamp, self.event.at)

    @property
    def place(self) -> Place | None:
        """Where the event is kept."""
        if self.event is None or self.customer_id is None:
            return None
        return Place(self.customer_id, self.event.at)

    @property
    def digest(self) -> str:
        """By which the same words are known again; ``""`` for what takes back."""
        if self.event is None:
            return ""
        return sha256(encode((self.customer_id, self.event))).hexdigest()[:20]


class Pointer(Struct, frozen=True):
    """The last word about an event that was applied, and where the event is; nowhere when it was taken back.

    ``first`` is the stamp of the first word about it, where that is another. ``soonest`` is how long after the event it
    was said at best, by the time that the word said itself, where that is another word, too.
    """

    event_id: str
    stamp: str
    digest: str
    place: Place | None = None
    first: str | None = None
    soonest: timedelta | None = None

    @classmethod
    def after(cls, word: Word, read: Pointer | None) -> Pointer:
        """The pointer after a word that was said before or after the one that was ``read``."""
        if read is None:
            return cls(word.event_id, word.stamp, word.digest, word.place)
        first, holds = min(read.told, word.stamp), word.stamp > read.stamp
        last = cls(word.event_id, word.stamp, word.digest, word.place) if holds else replace(read, soonest=None)
        delay = min((each for each in (read.delay, word.delay) if each is not None), default=None)
        return replace(
            last,
            first=None if first == last.stamp else first,
            soonest=None if delay == last.delay else delay,
        )

    @property
    def told(self) -> str:
        """The stamp of the first word that was said of it; it is never a later one once the pointer is written."""
        return self.first or self.stamp

    @property
    def delay(self) -> timedelta | None:
        """How long after the event it was said at best; ``None`` where it was only taken back."""
        if self.soonest is not None or self.place is None:
            return self.soonest
        return delay_of(self.stamp, self.place.at)


class Cell(Struct, frozen=True):
    """What a customer's partition says of an event at one time: the event, or that it is not there any more.

    A register: of two cells of the same place the one with the later stamp stays.
    """

    event_id: str
    at: datetime
    stamp: str
    event: Event | None = None
    external: bool = False


class Told(Struct, frozen=True):
    """An event as it was told so long after it happened (``delay``).

    ``soonest`` is the least of all words about it that are known: of what was told in time and is corrected later.
    """

    event: Event
    delay: timedelta
    soonest: timedelta


class Kept(Struct, frozen=True):
    """Everything that is kept of a customer: the summary with its version (0 for none), and the cells.

    ``erased``: cells with this stamp or an earlier one are to be erased, also those that are still to come.
    """

    cells: Sequence[Cell] = ()
    summary: Summary | None = None
    version: int = 0
    erased: str = ""


class Placed(Struct, frozen=True):
    """Somebody who was at a location, or with ``until`` has had a booking there that begins then and no visit."""

    customer_id: str
    until: datetime | None = None


class ActivityTask(Struct, frozen=True):
    """A part of what a request said, waiting to be applied."""

    business_id: str
    batch_id: str
    part: int
