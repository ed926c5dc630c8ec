"""Where somebody stands in a sequence.

    enrolled ──▶ waiting ──▶ doing ──▶ waiting … ──▶ left
                    │          ▲
                    └──────────┘ due, or what they waited for has happened

A customer is in a sequence once at a time. What began it is remembered beside it (``entry_name``), so that it is told
twice and begins once, also long after they left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.sequences.domain.heard import is_since, kept

if TYPE_CHECKING:
    from rebound.sequences.domain.heard import Heard

KEPT_AFTER: Final = timedelta(days=400)
"""For how long it is remembered what began an enrolment that is over, where somebody may begin again."""
MOST_FORMER: Final = 300
"""Who has begun because of so many that are still to come begins because of no other until one of them has come."""
_REMEMBERED_AFTER: Final = timedelta(days=3)
"""For so long what was to come is remembered after it was to: nobody begins because of it then, in whatever zone."""
CLOCKS_DIFFER: Final = timedelta(seconds=10)
"""By so much at most the clocks of two functions differ."""


type Through = tuple[tuple[str, str], ...]
"""Steps that need no write of their own, each with the way that was taken there; none at a step that ends it."""


class Stage(StrEnum):
    """Where an enrolment stands."""

    WAITING = "waiting"
    """At a wait, until ``wake_at`` or until what they wait for has happened."""
    DOING = "doing"
    """At a step that sends or changes something, in the hands of a worker (``batch``)."""
    LEFT = "left"


class LeftBecause(StrEnum):
    """Why somebody is not in a sequence any more."""

    ENDED = "ended"
    """They came to the end, or to a step that ends it."""
    GOAL = "goal"
    """What the sequence was for has happened."""
    EXIT = "exit"
    """Something happened that ends it."""
    LAPSED = "lapsed"
    """They were due while it was off, and what was late was to lapse."""
    NOT_MATCHING = "not_matching"
    """They waited for what was to come, and did not match the filter when it was due."""
    REMOVED = "removed"
    """Somebody took them out, or the sequence was deleted."""


MOST_STOOD: Final = 10
"""So many moves of somebody who waits are told apart, the last of them."""


class Stood(Struct, frozen=True):
    """Where somebody was in another version ``until`` they were moved, and which step became which (``steps``).

    What happened before that counts by that version, also where it is told later.
    """

    version: int
    until: datetime
    steps: Mapping[str, str]


class EnrolmentKey(Struct, frozen=True, order=True):
    """Who in which sequence."""

    business_id: str
    customer_id: str
    sequence_id: str


class Enrolment(Struct, frozen=True, kw_only=True):
    """Somebody in a sequence, or who was.

    ``version`` is that of the sequence which they go through. ``step_id`` is the step at which they stand, or stood
    when they left, ``None`` before the first; ``since`` since when. ``wake_at`` is when somebody who waits goes on.
    ``batch`` names the task of the worker that does the step. ``entry_key`` names what began it, at ``entered_at``.
    ``uid`` is that of the sequence. ``through`` are the steps without a write of their own by which they came to this
    one, conditions with the way that was taken (``then``, ``else``); only who counts reads it. ``moved_by`` is the job
    that moved them here from an older version, until they go on.
    ``stood`` is where they were before, as long as they wait where they were moved.
    ``began_at`` is when that which began it happened. ``heard`` is what waits may be over for (``domain.heard``).
    ``caused_by`` are the sequences whose doing began it, each because of the one before.
    ``about`` is the membership, the package or the waiver because of which they began, where that is what begins it.
    ``due_at`` is when that comes for which they wait, or waited, such as the end of a membership. ``former`` is what
    began their earlier enrolments and may come yet (``done``); other sequences remember it apart. ``entry_key`` is
    empty where what was to come did not.
    ``template_version`` is that of the template of the step which is being done, as it was when it was begun: 0 where
    there was none to be had, ``None`` where the step has no template.
    ``row_version`` counts the writes of the stored row, 0 for none yet.
    """

    key: EnrolmentKey
    version: int
    entry_key: str
    entered_at: datetime
    standing: Stage
    step_id: str | None
    since: datetime
    wake_at: datetime | None = None
    batch: str | None = None
    left_because: LeftBecause | None = None
    uid: str = ""
    through: Through = ()
    moved_by: str | None = None
    stood: tuple[Stood, ...] = ()
    began_at: datetime | None = None
    heard: tuple[Heard, ...] = ()
    caused_by: tuple[str, ...] = ()
    template_version: int | None = None
    about: str | None = None
    due_at: datetime | None = None
    former: tuple[str, ...] = ()
    row_version: int = 0

    @property
    def is_over(self) -> bool:
        """Whether they have left."""
        return self.standing is Stage.LEFT

    def became(self, after: Enrolment) -> bool:
        """Whether the two are one enrolment, earlier and later; nobody goes back to before the first step."""
        begun = (self.uid, self.entered_at) == (after.uid, after.entered_at)
        # Who waits for what is to come waits for something else once that is told otherwise.
        begun = begun and (self.is_ahead or self.entry_key == after.entry_key)
        return begun and (after.step_id is not None or self.step_id is None)

    @property
    def is_ahead(self) -> bool:
        """Whether they wait for what is to come, and nothing has been done yet."""
        return self.about is not None and self.step_id is None and self.standing is Stage.WAITING

    def done(self, now: datetime) -> tuple[str, ...]:
        """All that has begun it, is over and may come yet: each its name, ``@`` and the day (UTC) when it comes."""
        is_done = self.is_over and self.due_at is not None and self.entry_key
        own = [f"{entry_name(self.entry_key)}@{self.due_at:%Y-%m-%d}"] if is_done else []
        oldest = f"{now - _REMEMBERED_AFTER:%Y-%m-%d}"
        return tuple(each for each in (*self.former, *own) if each.rpartition("@")[2] >= oldest)

    def is_of(self, created_at: datetime) -> bool:
        """Whether it is of a customer who was created then, and not of one who had the id before and is deleted.

        Who is created and begins at once may be written down by two functions whose clocks differ.
        """
        return is_since(self.entered_at + CLOCKS_DIFFER, created_at)

    @property
    def reached(self) -> datetime:
        """When they came to where they go on: the step before was begun, or the wait before was over."""
        return self.wake_at or self.since

    @property
    def spent(self) -> tuple[Heard, ...]:
        """What has ended a wait: the same is told again, and ends no other."""
        return tuple(each for each in self.heard if each.has_ended)

    def met(self, step_id: str) -> Enrolment | None:
        """As they pass a wait that is over already, by what was heard; ``None`` where it is not."""
        found = next(
            (each for each in self.heard if step_id in each.ends and is_since(each.happened_at, self.reached)), None
        )
        if found is None:
            return None
        heard = tuple(replace(each, ends=()) if each is found else each for each in self.heard)
        if self.wake_at is None:
            return replace(self, since=max(self.since, found.happened_at), heard=heard)
        return replace(self, wake_at=max(self.wake_at, found.happened_at), heard=heard)

    def hears(self, heard: Heard, now: datetime) -> Enrolment:
        """With something noted, where it may count: who waits goes on no earlier than ``now``, unless they are due."""
        since = self.since if self.wake_at is None else min(self.wake_at, now)
        if not heard.has_ended and not is_since(heard.happened_at, since):
            return self
        others = (each for each in self.heard if each.name != heard.name)
        return replace(self, heard=(*kept(others, since), heard))

    def waits(self, step_id: str, since: datetime, wake_at: datetime, through: Through = ()) -> Enrolment:
        """At a wait."""
        moved = replace(self, step_id=step_id, since=since, wake_at=wake_at, through=through)
        moved = replace(moved, standing=Stage.WAITING, batch=None, moved_by=None, stood=(), template_version=None)
        return replace(moved, heard=kept(self.heard, since))

    def does(
        self, step_id: str, since: datetime, batch: str, through: Through = (), template_version: int | None = None
    ) -> Enrolment:
        """At a step in the hands of a worker."""
        moved = replace(self, step_id=step_id, since=since, wake_at=None, through=through)
        moved = replace(
            moved, standing=Stage.DOING, batch=batch, moved_by=None, stood=(), template_version=template_version
        )
        return replace(moved, heard=kept(self.heard, since))

    def left(self, because: LeftBecause, at: datetime, through: Through = ()) -> Enrolment:
        """Out; where they stood stays, for who counts it: the last step ``through`` which they came, if any."""
        step_id = through[-1][0] if through else self.step_id
        moved = replace(self, step_id=step_id, since=at, wake_at=None, through=through)
        moved = replace(moved, standing=Stage.LEFT, batch=None, left_because=because, moved_by=None, stood=(), heard=())
        return replace(moved, template_version=None)

    def moved(self, version: int, at: datetime, steps: Mapping[str, str], job_id: str) -> Enrolment:
        """In another version, to which a job moves them; what they have heard counts for what the waits became."""
        heard = [replace(each, ends=became(each.ends, [steps])) for each in self.heard]
        return replace(
            self,
            version=version,
            moved_by=job_id,
            heard=(*self.spent, *(each for each in heard if each.ends)),
            stood=(*self.stood, Stood(self.version, at, steps))[-MOST_STOOD:],
        )

    def stood_at(self, at: datetime) -> Sequence[Stood]:
        """Where they have been since, from the version in which they were at a moment; none where it is this one."""
        first = next((place for place, each in enumerate(self.stood) if at < each.until), len(self.stood))
        return self.stood[first:]

    def bars(self, *, once: bool) -> bool:
        """Whether they may not begin anew: while they are inside; where it is gone through ``once``, after a step."""
        return not self.is_over or (once and self.step_id is not None)

    def is_due(self, now: datetime) -> bool:
        """Whether a wait is over."""
        return self.standing is Stage.WAITING and self.wake_at is not None and self.wake_at <= now


def became(step_ids: Sequence[str], maps: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """What steps have become by one move after the other; those that became nothing are left out."""
    found = tuple(step_ids)
    for each in maps:
        found = tuple(each[step_id] for step_id in found if step_id in each)
    return found


def entry_name(entry_key: str) -> str:
    """By what an entry is remembered: keys are the clients', and of any length."""
    return sha256(entry_key.encode()).hexdigest()[:32]
