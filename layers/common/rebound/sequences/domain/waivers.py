"""Waivers that customers sign, in versions, and who was asked to sign which of them.

Whoever has a coming booking and has not signed the version that counts now is asked once, by a message of their own.

    asked ──▶ signed         by an event that the business's own system tells
      │ ▲
      ▼ │ books again
    withdrawn                no booking is to come any more, and the message was not handed over yet
    unreached                there is no way to write to them
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from copy import replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import asdict

from rebound.activity.domain.events import EventKind
from rebound.kernel.channels import Channel
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.ids import derived_ulid
from rebound.kernel.written_text import is_one_line, tidied

if TYPE_CHECKING:
    from rebound.activity.domain.words import Kept

WAIVER_ID: Final = "^[A-Za-z0-9_-]{1,64}$"
"""What the id of a waiver looks like, which is a name of the business's own."""
WAIVER: Final = "waiver:"
"""What the tasks of waivers have before the id, in place of a sequence's id; no sequence has a colon in its own."""
MOST_WAIVERS: Final = 20
"""Of one business."""
MOST_VERSIONS: Final = 60
"""Of one waiver: with the longest notes, addresses and names a row holds no more."""
MAX_VERSION: Final = 128
"""Characters of the name of a version, as in events."""
MAX_NOTE: Final = 500
"""Characters."""
MAX_URL: Final = 500
"""Characters; it stands in texts too."""
_UNSAFE: Final = re.compile(r"[\s<>\"\\^`{|}]")
NOT_AGAIN: Final = timedelta(hours=1)
"""Nobody is handed two messages about a waiver within this time."""


class Posting(Struct, frozen=True):
    """What a business posts: see ``WaiverVersion``."""

    version: str
    note: str | None
    url: str

    @classmethod
    def read(cls, version: str, note: str | None, url: str) -> Posting:
        """Of what was given. Raises ``InvalidInputError`` with all that is wrong."""
        named, said, place = tidied(version), (note or "").strip(), url.strip()
        errors: list[FieldError] = []
        if not 1 <= len(named) <= MAX_VERSION or not is_one_line(named):
            errors.append(FieldError("version", f"Must be text of 1 to {MAX_VERSION} characters on one line."))
        if len(said) > MAX_NOTE:
            errors.append(FieldError("note", f"Must have at most {MAX_NOTE} characters."))
        if len(place) > MAX_URL or not _is_place(place):
            message = f"Must be an address of at most {MAX_URL} characters that begins with https:// and names a host."
            errors.append(FieldError("url", message))
        if errors:
            raise InvalidInputError(*errors)
        return cls(named, said or None, place)


def _is_place(url: str) -> bool:
    try:
        parts = urlsplit(url)
        # A port that there cannot be is a ``ValueError`` once it is asked for.
        is_there = all((parts.hostname or "").removesuffix(".").split(".")) and parts.port != 0
        return parts.scheme == "https" and is_there and url.isprintable() and not _UNSAFE.search(url)
    except ValueError:
        return False


class WaiverVersion(Struct, frozen=True, kw_only=True):
    """What a business posted: the ``version`` is its own name for it, ``number`` counts them from 1.

    ``note`` is what the business adds to the message, and ``url`` is where the waiver is signed.
    """

    number: int
    version: str
    note: str | None
    url: str
    posted_at: datetime


class Waiver(Struct, frozen=True, kw_only=True):
    """A waiver of a business, with its versions, the oldest first; the last one counts.

    ``row_version`` counts the writes of the stored row, 0 for none yet.
    """

    business_id: str
    waiver_id: str
    versions: tuple[WaiverVersion, ...] = ()
    row_version: int = 0

    @property
    def current(self) -> WaiverVersion:
        """The version that counts now."""
        return self.versions[-1]

    def called(self, version: str) -> WaiverVersion | None:
        """The version that the business calls so; ``None`` where it has posted none."""
        return next((each for each in self.versions if each.version == version), None)

    def with_version(self, posting: Posting, at: datetime) -> Waiver:
        """With one more, which counts from now on."""
        new = WaiverVersion(number=len(self.versions) + 1, posted_at=at, **asdict(posting))
        return replace(self, versions=(*self.versions, new))

    def leads_on(self, number: int) -> bool:
        """Whether the link that asks for the version of a number leads to where the one is signed that counts."""
        return self.versions[number - 1].url == self.current.url

    def is_signed(self, kept: Kept) -> bool:
        """Whether a customer has signed the version that counts.

        Who tells of it may leave out which waiver it was: then it is any of which this is the version.
        """
        return any(
            event.version == self.current.version and event.waiver_id in (None, self.waiver_id)
            for cell in kept.cells
            if (event := cell.event) is not None and event.kind is EventKind.WAIVER
        )


class AskKey(Struct, frozen=True, order=True):
    """Who is asked to sign which waiver."""

    business_id: str
    waiver_id: str
    customer_id: str


class AskState(StrEnum):
    """What became of asking somebody."""

    ASKED = "asked"
    """A message asks them, and they have not signed."""
    SIGNED = "signed"
    WITHDRAWN = "withdrawn"
    """They had no coming booking any more before the message was handed over, or another version came before it was."""
    UNREACHED = "unreached"
    """There is no channel by which they may be written to."""


class Ask(Struct, frozen=True, kw_only=True):
    """Somebody who was asked to sign a waiver.

    ``number`` is that of the version that they are to sign; ``former`` has what became of those before, by their
    numbers. ``attempt`` counts the messages, and ``asked_by`` is the number of the version that the last of them is
    about; it goes by ``channel``, ``None`` where there was none. ``is_told`` is set once it is on its way, and all were
    told who hear of it. ``gone_by`` is when it had gone out, of whom the next is asked later. ``row_version`` counts
    the writes of the stored row, 0 for none yet.
    """

    key: AskKey
    number: int
    state: AskState
    asked_at: datetime
    asked_by: int
    channel: Channel | None = None
    attempt: int = 1
    is_told: bool = False
    gone_by: datetime | None = None
    former: Mapping[int, AskState] = MappingProxyType({})
    row_version: int = 0

    @property
    def message_id(self) -> str:
        """The id of the message that asks, the same however often it is tried."""
        key = self.key
        named = f"{WAIVER}#{key.business_id}#{key.waiver_id}#{key.customer_id}#{self.attempt}"
        return derived_ulid(self.asked_at, named)

    @property
    def states(self) -> Mapping[int, AskState]:
        """What became of it, by the numbers of the versions."""
        return {**self.former, self.number: self.state}

    def by(self, state: AskState) -> Ask:
        """In another state."""
        return replace(self, state=state, is_told=True)

    @classmethod
    def begun(cls, key: AskKey, number: int, channel: Channel | None, at: datetime, before: Ask | None) -> Ask:
        """One that is to be asked about the version of a number, in place of what was asked ``before``."""
        return cls(
            key=key,
            number=number,
            state=AskState.UNREACHED if channel is None else AskState.ASKED,
            asked_at=at,
            asked_by=number,
            channel=channel,
            attempt=1 if before is None else before.attempt + 1,
            is_told=channel is None,
            former={} if before is None else before.but(number),
            row_version=0 if before is None else before.row_version,
        )

    def stands_for(self, number: int) -> Ask:
        """What asked for a version a moment ago asks for the next one as well, where that has the same address."""
        return replace(self, number=number, former=self.but(number))

    def but(self, number: int) -> Mapping[int, AskState]:
        """What became of all other versions than that of a number."""
        return {each: state for each, state in self.states.items() if each != number}


class AskCounts(Struct, frozen=True):
    """How many were asked to sign a version, how many of them signed it, and how many could not be written to."""

    asked: int = 0
    signed: int = 0
    unreached: int = 0

    @property
    def open(self) -> int:
        """How many have not signed."""
        return self.asked - self.signed


def ask_counts_of(before: Ask | None, after: Ask | None) -> Mapping[str, int]:
    """What a write adds to the counts of its waiver, by label: of who is forgotten nothing is counted any more."""
    counts: Counter[str] = Counter()
    for ask, by in ((before, -1), (after, 1)):
        for number, state in () if ask is None else ask.states.items():
            counts[_label(number, state)] += by
    return {label: count for label, count in counts.items() if count}


def counts_of_version(number: int, counts: Mapping[str, int]) -> AskCounts:
    """The counts of a version, out of those of its waiver by label."""
    asked, signed, unreached = (
        counts.get(_label(number, state), 0) for state in (AskState.ASKED, AskState.SIGNED, AskState.UNREACHED)
    )
    return AskCounts(asked + signed, signed, unreached)


def _label(number: int, state: AskState) -> str:
    return f"{number}|{state}"


def sequence_of(waiver_id: str) -> str:
    """What stands for a waiver where tasks and timers have a sequence."""
    return f"{WAIVER}{waiver_id}"


def waiver_of(sequence_id: str) -> str | None:
    """The waiver that stands there; ``None`` for a sequence."""
    return sequence_id.removeprefix(WAIVER) if sequence_id.startswith(WAIVER) else None


def happening_key(waiver_id: str, version: str) -> str:
    """What names it, to sequences, that a customer was asked to sign a version."""
    return f"{waiver_id}#{version}"
