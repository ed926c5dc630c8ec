"""The ledger of text segments: a month's sum, and the entries that it is the sum of.

An entry is one text (or call), under a name that is the same however often it is tried. What is counted for it changes
only together with the month's sum, so the sum is that of the entries at any moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct, field

from rebound.businesses.domain.business import Business
from rebound.businesses.domain.text_plan import PlanStatus, TextPlan
from rebound.kernel.receipts import MessageKey

TELLING_TAKES: Final = timedelta(minutes=5)
"""Whoever has taken on telling the owner and has not done so by then is dead; another may."""
NOTE_DUE: Final = "text_plan_note"
"""The kind of the timer that has the owner told."""
INBOUND: Final = "#in#"
"""Between a business and what came in, in the place of a customer."""


class PlanNote(StrEnum):
    """What the owner is told, once a month each."""

    WARNING = "warning"
    EXHAUSTED = "exhausted"


class InboundKind(StrEnum):
    """What comes in and may count."""

    TEXT = "text"
    CALL = "call"


class Telling(Struct, frozen=True):
    """How far the telling of a note is: taken on at ``since``, anew after ``until`` unless it is ``told``."""

    since: datetime
    until: datetime
    told: bool = False


class TextMonth(Struct, frozen=True):
    """What a business has used in one of its months (``2026-11``).

    ``used`` is the sum of all that counts, ``inbound`` the part of it that came in.
    """

    business_id: str
    month: str
    used: int = 0
    inbound: int = 0
    notes: Mapping[PlanNote, Telling] = field(default_factory=dict)

    def is_told(self, note: PlanNote) -> bool:
        """Whether the owner has been told."""
        return note in self.notes and self.notes[note].told


class Entry(Struct, frozen=True):
    """What one text counts, in the month in which it was reserved.

    ``settled`` is true once the provider has said how many ``segments`` there were.
    """

    name: str
    month: str
    segments: int
    settled: bool = False
    is_inbound: bool = False

    def after(self, said: int) -> Entry:
        """The entry after a provider's count; the largest of several counts, in whatever order they come.

        0 says nothing: with a messaging service Twilio does not know it yet.
        """
        if said <= 0 or (self.settled and said <= self.segments):
            return self
        return Entry(self.name, self.month, said, settled=True, is_inbound=self.is_inbound)


class Change(Struct, frozen=True):
    """An entry as it is stored now, and as it is to be; ``None`` where there is none."""

    before: Entry | None
    after: Entry | None

    @property
    def more(self) -> int:
        """By how much the month's sum grows."""
        return segments_of(self.after) - segments_of(self.before)

    @property
    def name(self) -> str:
        """The name of the entry. Raises ``ValueError`` for a change of nothing."""
        for entry in (self.before, self.after):
            if entry is not None:
                return entry.name
        raise ValueError("a change of nothing")


def segments_of(entry: Entry | None) -> int:
    """What an entry counts; nothing where there is none."""
    return entry.segments if entry is not None else 0


def name_of(key: MessageKey) -> str:
    """The name of a message's entry."""
    return f"{key.recipient_id}#{key.message_id}"


def name_of_inbound(business_id: str, kind: InboundKind, inbound_id: str) -> str:
    """The name of the entry of what came in."""
    return f"{business_id}{INBOUND}{kind}#{inbound_id}"


def month_of(business: Business, at: datetime) -> str:
    """The month on the business's calendar, such as ``2026-11``."""
    return f"{business.local_day(at):%Y-%m}"


def affordable(wanted: Mapping[str, int], left: int) -> Sequence[str]:
    """Whom ``left`` segments are for: in their order, each for whom there still are enough.

    Whoever wants none, or gives some back, always gets that; ``left`` below 0 is what was used beyond the limit.
    """
    chosen: list[str] = []
    for name, segments in wanted.items():
        if segments <= max(left, 0):
            chosen.append(name)
            left -= segments
    return chosen


def still_true(plan: TextPlan, month: TextMonth) -> bool:
    """Whether there still is something to tell of a month: what made a note due may have been released since.

    A text may be refused before all is used, because it needs more than what is left; of that the owner is told once
    most is used.
    """
    return plan.status(month.used) is not PlanStatus.OK


def notes_due(business: Business, month: TextMonth, *, refused: bool) -> Iterable[PlanNote]:
    """What the owner is to be told and has not been; also that a text was ``refused`` for which too little is left."""
    plan = business.text_plan
    if plan is None:
        return
    status = plan.status(month.used)
    if status is not PlanStatus.OK and plan.included and not month.is_told(PlanNote.WARNING):
        yield PlanNote.WARNING
    if (refused or status is PlanStatus.EXHAUSTED) and not month.is_told(PlanNote.EXHAUSTED):
        yield PlanNote.EXHAUSTED
