"""Looking back: what the log of a customer's activity says to sequences, whatever of it was told first.

What ends somebody's enrolment may be told before what begins it, and then finds nobody inside. So who is about to begin
is looked up in the log once more, which has what is told before anybody hears of it: what was told earlier is found
there, and what is told later finds them inside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.activity.domain.events import EventKind, MembershipStatus
from rebound.sequences.domain.enrolments import LeftBecause
from rebound.sequences.domain.happenings import LOGGED, OBJECTS, PLANNED
from rebound.sequences.domain.heard import is_since

if TYPE_CHECKING:
    from datetime import datetime

    from rebound.activity.domain.events import Event
    from rebound.sequences.domain.enrolments import Enrolment
    from rebound.sequences.domain.happenings import Happened, Happening
    from rebound.sequences.domain.sequences import Definition


class Said(Struct, frozen=True):
    """One event of the log, and what it means to sequences."""

    event: Event
    happened: tuple[Happened, ...]


def coming(said: Sequence[Said], trigger: Happening) -> Mapping[str, Happened]:
    """What is still to come, by what it is about: of each membership what was said last of its end, if it has one."""
    last: dict[str, Happened] = {}
    for happened in (each for one in said for each in one.happened if each.kind is trigger.kind):
        about = happened.about.get(OBJECTS[trigger.kind])
        if about is not None and trigger.means(happened):
            last[about] = happened
    return {about: happened for about, happened in last.items() if happened.due_at is not None}


def is_overtaken(said: Sequence[Said], trigger: Happening, enrolment: Enrolment) -> bool:
    """Whether what somebody began because of has been made good after it happened last: paid, or filled up again.

    What is over since has not been made good, and of words of one moment nobody knows which was the last.
    """
    name = OBJECTS.get(trigger.kind)
    if enrolment.about is None or name is None:
        return False
    began = enrolment.began_at or enrolment.entered_at
    about = [one for one in said if getattr(one.event, name, None) == enrolment.about]
    again = [one.event.at for one in about if any(each.kind is trigger.kind for each in one.happened)]
    good = [one.event.at for one in about if _makes_good(one.event)]
    return max(good, default=began) > max(again, default=began)


def _makes_good(event: Event) -> bool:
    match event.kind:
        case EventKind.MEMBERSHIP:
            return event.status is MembershipStatus.ACTIVE
        case EventKind.PACKAGE:
            return bool(event.credits_left)
        case _:
            return event.kind is EventKind.WAIVER


def ended_since(
    said: Sequence[Said], definition: Definition, enrolment: Enrolment, at: Callable[[datetime], Definition]
) -> LeftBecause | None:
    """Why somebody who is to begin does not any more, if so; what counts ``at`` a moment is what it was then."""
    for each in (each for one in said for each in one.happened):
        because = why_ended(at(each.at), enrolment, each)
        if because is not None:
            return because
    is_planned = definition.trigger.kind in PLANNED
    return LeftBecause.EXIT if not is_planned and is_overtaken(said, definition.trigger, enrolment) else None


def why_ended(definition: Definition, found: Enrolment, happened: Happened) -> LeftBecause | None:
    """Why somebody leaves because of something, if they do."""
    if found.entry_key == happened.key or (found.step_id is None and definition.trigger.means(happened)):
        # What began it is told again, also after another of its kind; nothing has been done yet.
        return None
    ended = definition.ended_by(happened, found.about)
    if ended is None or not _is_later(happened, definition.trigger, found.began_at or found.entered_at):
        return None
    # A membership that is over has not been renewed.
    return LeftBecause.GOAL if ended.is_goal and not happened.is_withdrawn else LeftBecause.EXIT


def _is_later(happened: Happened, trigger: Happening, began_at: datetime) -> bool:
    """Whether something happened after what began it.

    What one system tells of one moment belongs together, such as the booking of somebody who walks in, and the visit.
    Our own time of a text or a tag is finer than what others tell: within that second counts.
    """
    return happened.at > began_at if trigger.kind in LOGGED else is_since(happened.at, began_at)
