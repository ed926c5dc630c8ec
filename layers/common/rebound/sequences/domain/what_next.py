"""What happens next with somebody in a sequence, and why somebody is not in one; in data and in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from rebound.kernel.channels import Channel
from rebound.sequences.domain.enrolments import LeftBecause, Stage
from rebound.sequences.domain.happenings import Kind
from rebound.sequences.domain.sequences import Reentry
from rebound.sequences.domain.steps import If, Send, Tag, Wait
from rebound.templates.domain.content import EmailContent, TemplateContent

if TYPE_CHECKING:
    from rebound.sequences.domain.enrolments import Enrolment
    from rebound.sequences.domain.happenings import Happening
    from rebound.sequences.domain.sequences import KnownSequence
    from rebound.sequences.domain.steps import Program, Step


class Next(Struct, frozen=True, kw_only=True):
    """What happens next with somebody.

    ``step`` is the one that is done then; ``None`` where they have come to the end, and leave. ``at`` is when, at the
    latest where they wait for something (``waits_for``); what was due before now is on its way. A sequence that is off
    does nothing until it is on.
    """

    step: Step | None
    at: datetime
    waits_for: Happening | None = None


def next_of(enrolment: Enrolment, program: Program) -> Next | None:
    """What happens next in the program of the version that somebody goes through; ``None`` for who has left."""
    if enrolment.is_over:
        return None
    at = enrolment.wake_at or enrolment.since
    if enrolment.step_id is None:
        return Next(step=None if program.first_id is None else program.steps[program.first_id], at=at)
    here = program.steps.get(enrolment.step_id)
    if here is None:
        return Next(step=None, at=at)
    if enrolment.standing is Stage.DOING:
        return Next(step=here, at=at)
    follows = None if here.next_id is None else program.steps[here.next_id]
    return Next(step=follows, at=at, waits_for=here.action.for_event if isinstance(here.action, Wait) else None)


class Place(StrEnum):
    """Whether somebody is in a sequence, and if not, why."""

    INSIDE = "inside"
    OFF = "off"
    """Nobody begins it."""
    ONLY_ONCE = "only_once"
    """They have been through it, and nobody goes through it twice."""
    FILTER = "filter"
    """It is not for them, as they are now."""
    NOT_STARTED = "not_started"
    """Nothing has started it for them, or not again."""


def place_of(sequence: KnownSequence, enrolment: Enrolment | None, *, is_meant: bool) -> Place:
    """Where somebody is; ``is_meant`` says whether they match the filter of the newest version now."""
    if enrolment is not None and not enrolment.is_over:
        return Place.INSIDE
    if not sequence.is_on:
        return Place.OFF
    if enrolment is not None and enrolment.bars(once=sequence.definition.reentry is Reentry.NEVER):
        return Place.ONLY_ONCE
    return Place.NOT_STARTED if is_meant else Place.FILTER


class InSequence(Struct, frozen=True):
    """That somebody began a sequence (called ``name`` now) at a moment, or left it then."""

    name: str
    enrolment: Enrolment
    at: datetime
    has_left: bool


# --- words ------------------------------------------------------------------------------------------------------------


def sentence_inside(
    enrolment: Enrolment, follows: Next | None, sequence: KnownSequence, zone: str, now: datetime
) -> str:
    """Where somebody stands and what comes next, or why they left; times are by the clocks of a zone (an IANA name)."""
    if follows is None:
        return f"Left on {written(enrolment.since, zone)}: {why_left(enrolment)}"
    if not sequence.is_on:
        return f"Is inside. {_OFF}"
    return f"{_here(enrolment, follows, zone, now)} {_then(follows.step)}"


def sentence_outside(place: Place, sequence: KnownSequence) -> str:
    """Why somebody is not in it."""
    if place is Place.NOT_STARTED:
        return f"Nothing has started it for them: it begins with {happening_words(sequence.definition.trigger)}."
    return _OUTSIDE[place]


def sentence_of_sequence(told: InSequence) -> str:
    """That somebody has begun a sequence, or left it and why."""
    if told.has_left:
        return f'Left the sequence "{told.name}": {why_left(told.enrolment)}'
    return f'Began the sequence "{told.name}".'


def why_left(enrolment: Enrolment) -> str:
    """Why somebody has left, as the end of a sentence."""
    return _LEFT[enrolment.left_because or LeftBecause.ENDED]


def happening_words(happening: Happening) -> str:
    """What happens, with an article."""
    which = ", ".join(happening.about.values())
    words = _HAPPENINGS[happening.kind]
    return f"{words} ({which})" if which else words


def written(at: datetime, zone: str) -> str:
    """A time as the clocks of a zone show it."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%B %Y, %H:%M}"


def _here(enrolment: Enrolment, follows: Next, zone: str, now: datetime) -> str:
    if enrolment.standing is Stage.DOING or follows.at <= now:
        return "Is about to go on."
    if follows.waits_for is not None:
        return f"Waits for {happening_words(follows.waits_for)}, until {written(follows.at, zone)} at the latest."
    return f"Waits until {written(follows.at, zone)}."


def _then(step: Step | None) -> str:
    match None if step is None else step.action:
        case Send() as send:
            noun = "email" if send.channel is Channel.EMAIL else "text"
            what = f"Next comes a {send.category.traits.adjective} {noun}"
            if isinstance(send.content, TemplateContent):
                return f'{what} made from the template "{send.content.made_from.template_id}".'
            return f'{what}: "{send.content.subject}".' if isinstance(send.content, EmailContent) else f"{what}."
        case If():
            return "Next a condition is asked, and what comes then depends on it."
        case Tag(add=str() as tag):
            return f'Next they are given the tag "{tag}".'
        case Tag(remove=tag):
            return f'Next the tag "{tag}" is taken away.'
        case Wait():
            return "Next they wait again."
        case _:
            return "Nothing more comes then: it is over for them."


_OFF: Final = "The sequence is off, so nothing happens until it is switched on."
_OUTSIDE: Final[Mapping[Place, str]] = MappingProxyType(
    {
        Place.OFF: "The sequence is off: nobody begins it.",
        Place.ONLY_ONCE: "They have been through it, and nobody goes through it twice.",
        Place.FILTER: "It is not for them: they do not match its filter now.",
    }
)
_LEFT: Final[Mapping[LeftBecause, str]] = MappingProxyType(
    {
        LeftBecause.ENDED: "they had come to its end.",
        LeftBecause.GOAL: "what it was for has happened.",
        LeftBecause.EXIT: "something happened that ends it.",
        LeftBecause.LAPSED: "they were due while it was off, and what was late was to lapse.",
        LeftBecause.NOT_MATCHING: "they did not match its filter when it was due.",
        LeftBecause.REMOVED: "they were taken out.",
    }
)
_HAPPENINGS: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.BOOKING: "a booking",
        Kind.VISIT: "a visit",
        Kind.NO_SHOW: "a no-show",
        Kind.CANCELLATION: "a cancellation",
        Kind.CHECK_IN: "a check-in",
        Kind.PURCHASE: "a purchase",
        Kind.REVIEW: "a review",
        Kind.PACKAGE_LAST_CREDIT: "the last credit of a package",
        Kind.MEMBERSHIP_EXPIRING: "a membership that is about to end",
        Kind.RENEWAL_FAILED: "a renewal that failed",
        Kind.WAIVER_CHANGED: "a waiver that was changed",
        Kind.WAIVER_SIGNED: "a waiver that was signed",
        Kind.MISSED_CALL: "a missed call",
        Kind.REPLY: "a reply",
        Kind.TAG_ADDED: "a tag",
        Kind.SEGMENT_ENTERED: "a segment that they come into",
        Kind.CUSTOM: "something that your software tells",
    }
)
