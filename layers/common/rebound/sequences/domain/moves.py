"""Moving those who wait in a version of a sequence to a newer one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.kernel.errors import FieldError
from rebound.recurring.domain.days import DAY
from rebound.sequences.domain.steps import Wait
from rebound.sequences.domain.waits import end_of

if TYPE_CHECKING:
    from rebound.sequences.domain.enrolments import Enrolment
    from rebound.sequences.domain.results import VersionResults
    from rebound.sequences.domain.sequences import Definition


class StaysBecause(StrEnum):
    """Why somebody stays on the version on which they are."""

    NOT_MAPPED = "not_mapped"
    """The map does not say where those go who wait at their step."""
    IN_HAND = "in_hand"
    """A step is being done for them at this moment; where they wait next, they may be moved."""
    ANOTHER_TRIGGER = "another_trigger"
    """They wait for what is to come, before the first step, and the newest version begins with something else."""


class Mover(Struct, frozen=True):
    """How many wait at a step, and at which step of the newer version they wait then."""

    step_id: str
    to_step_id: str
    enrolments: int


class Stayer(Struct, frozen=True):
    """How many stay at a step, or before the first one (``None``), and why."""

    step_id: str | None
    because: StaysBecause
    enrolments: int


class Move(Struct, frozen=True, kw_only=True):
    """Who is moved from a ``version`` to the newest one (``to``), and who stays.

    ``beginning`` is how many of those who stand before the first step begin the newest; nothing has been done for them.
    """

    version: int
    to: int
    beginning: int
    moves: Sequence[Mover]
    stays: Sequence[Stayer]


def foreseen(found: VersionResults, to: int, steps: Mapping[str, str], *, begin: bool) -> Move:
    """Who would be moved, and who would stay, by the results of the version on which they are now.

    ``begin`` says whether those do who stand before the first step (``may_begin``).
    """
    ahead = [] if begin or not found.beginning else [Stayer(None, StaysBecause.ANOTHER_TRIGGER, found.beginning)]
    stays = [
        Stayer(one.step.step_id, because, count)
        for one in found.steps
        for because, count in (
            (StaysBecause.NOT_MAPPED, 0 if one.step.step_id in steps else one.waiting),
            (StaysBecause.IN_HAND, one.doing),
        )
        if count
    ]
    waiting = {one.step.step_id: one.waiting for one in found.steps}
    return Move(
        version=found.version or 0,
        to=to,
        beginning=found.beginning if begin else 0,
        moves=[Mover(old, new, waiting[old]) for old, new in steps.items()],
        stays=[*ahead, *stays],
    )


def wrong_with(steps: Mapping[str, str], old: Definition, new: Definition) -> list[FieldError]:
    """What is wrong with a map from the steps of an old version to those of a new one: both must be waits."""
    errors = []
    for old_id, new_id in steps.items():
        for step_id, definition, which in ((old_id, old, "that version"), (new_id, new, "the newest version")):
            known = definition.program.steps
            waits = [each for each, step in known.items() if isinstance(step.action, Wait)]
            if step_id not in known:
                errors.append(
                    FieldError.unknown(f"steps.{old_id}", f"There is no such step in {which}.", step_id, waits)
                )
            elif step_id not in waits:
                allowed = ", ".join(waits) or "none"
                errors.append(
                    FieldError(f"steps.{old_id}", f"Nobody waits at that step of {which}; they wait at: {allowed}.")
                )
    return errors


def wakes_at(wait: Wait, since: datetime, now: datetime, zone: str) -> datetime:
    """When somebody goes on who has waited ``since``, and waits by ``wait`` from now on, in a zone (an IANA name).

    Where that time is past they go on at once, or at the next such time of the day.
    """
    ends = end_of(wait, since, zone)
    return ends if ends > now else end_of(replace(wait, for_=timedelta()), now, zone)


def may_begin(old: Definition, new: Definition) -> bool:
    """Whether who stands before the first step of an old version begins the new one.

    Who waits for what is to come does only where the new version begins with all with which the old one does.
    """
    was, now = old.trigger, new.trigger
    if not (was.is_planned or now.is_planned):
        return True
    return was.kind is now.kind and now.about.items() <= was.about.items()


def begins_at(enrolment: Enrolment, old: Definition, new: Definition, now: datetime) -> datetime:
    """When somebody begins the new version who stands before the first step of the old one."""
    due_at = enrolment.wake_at or now
    ahead = (old.trigger.days_before or 0) - (new.trigger.days_before or 0)
    return max(now, due_at + ahead * DAY)
