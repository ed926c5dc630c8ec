"""A sequence: what starts it, whom it is for, what is done, and what ends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.campaigns.domain.gates import Gate
from rebound.segments.domain.filters import segments_in
from rebound.sequences.domain.happenings import LOGGED, OBJECTS, PLANNED, Kind
from rebound.sequences.domain.steps import If, Program, Send, Wait
from rebound.templates.domain.content import EmailContent, TemplateContent

if TYPE_CHECKING:
    from rebound.sequences.domain.happenings import Happened, Happening
    from rebound.sequences.domain.steps import Written

MOST_SEQUENCES: Final = 50
"""Of one business."""
MOST_EXITS: Final = 10
MOST_BYTES: Final = 350_000
"""Of a version, as JSON in UTF-8: a row of the table holds 400 KB."""
NOT_SAID: Final = EmailContent("")
"""In an outline, in place of what a message says."""
NOT_ASKED: Final[Mapping[str, Any]] = {"any": []}
"""In an outline, in place of what a condition asks: it would be for nobody."""


class SequenceStatus(StrEnum):
    """Whether anything happens: nobody begins, goes on or is sent to while it is off."""

    ON = "on"
    OFF = "off"


class Reentry(StrEnum):
    """Whether somebody may go through it again; nobody is in it twice at a time."""

    NEVER = "never"
    AFTER_EXIT = "after_exit"


class Late(StrEnum):
    """What becomes of what came due while it was off, once it is on again."""

    GO_ON = "go_on"
    LAPSE = "lapse"
    """Who was due leaves."""


class Owes(StrEnum):
    """What was begun with a sequence and is to be brought to its end, also after a death."""

    GOING_ON = "going_on"
    """It was switched on: who and what waited for that is to go on."""
    DELETION = "deletion"
    """It is being deleted: nothing changes it any more."""


class ExitOn(Struct, frozen=True):
    """What ends it for somebody at once; with ``is_goal`` it is what the sequence was for."""

    happening: Happening
    is_goal: bool = False


class Definition(Struct, frozen=True, kw_only=True):
    """What is done: one version of a sequence. Whoever is inside stays on theirs.

    ``filter`` is asked when somebody is to begin, of what is planned when it is due; without one it is for everybody.
    """

    trigger: Happening
    filter: Mapping[str, Any] | None = None
    reentry: Reentry = Reentry.NEVER
    steps: tuple[Written, ...] = ()
    exit_on: tuple[ExitOn, ...] = ()

    @property
    def program(self) -> Program:
        """Its steps as they are gone through."""
        return Program.of(self.steps)

    @property
    def unpinned(self) -> Definition:
        """The same as it is kept: a template is taken as it is published when somebody comes to its step."""
        return replace(self, steps=_unpinned(self.steps))

    @property
    def outline(self) -> Definition:
        """The same without what its messages say and its conditions ask: what must be known to hear, and is small."""
        return replace(self, steps=_outlined(self.steps))

    @property
    def is_entered(self) -> bool:
        """Whether who begins to match a segment, or the filter, begins it."""
        return self.trigger.kind is Kind.SEGMENT_ENTERED

    @property
    def sends(self) -> Sequence[str]:
        """The ids of the steps that send."""
        return [step.step_id for step in self.program.steps.values() if isinstance(step.action, Send)]

    @property
    def segments(self) -> frozenset[str]:
        """The saved segments that it names, to begin or in conditions."""
        asked = [step.action.filter for step in self.program.steps.values() if isinstance(step.action, If)]
        named = frozenset().union(*map(segments_in, [*asked, *([] if self.filter is None else [self.filter])]))
        return named | frozenset(filter(None, [self.trigger.about.get("segment_id")]))

    def hears(self, happened: Happened) -> bool:
        """Whether it starts, ends or wakes somebody here."""
        return any(each.means(happened) for each in self._meant)

    @property
    def hears_activity(self) -> bool:
        """Whether what a customer does starts, ends or wakes somebody here."""
        return self.is_entered or any(each.kind in LOGGED for each in self._meant)

    @property
    def _meant(self) -> Sequence[Happening]:
        waits = (step.action for step in self.program.steps.values() if isinstance(step.action, Wait))
        awaited = [wait.for_event for wait in waits if wait.for_event is not None]
        return [self.trigger, *(one.happening for one in self.exit_on), *awaited]

    @property
    def looks_back(self) -> bool:
        """Whether the log may say that who is to begin does not any more, or not yet."""
        kind = self.trigger.kind
        return (kind in OBJECTS and kind in LOGGED) or any(each.happening.kind in LOGGED for each in self.exit_on)

    @property
    def plans_again(self) -> bool:
        """Whether who has left waits for what is to come next."""
        return self.trigger.kind in PLANNED and self.reentry is Reentry.AFTER_EXIT

    def about_of(self, happened: Happened) -> str | None:
        """The membership, the package or the waiver that what begins it is about; ``None`` where it is about none."""
        name = OBJECTS.get(self.trigger.kind)
        return None if name is None else happened.about.get(name)

    def concerns(self, meant: Happening, happened: Happened, about: str | None) -> bool:
        """Whether something is what is ``meant`` to somebody who began because of what ``about`` names.

        What is about another membership, package or waiver is not, unless ``meant`` names it.
        """
        name = OBJECTS.get(self.trigger.kind)
        is_other = (
            about is not None
            and name is not None
            and OBJECTS.get(happened.kind) == name
            and name not in meant.about
            and happened.about.get(name) not in (None, about)
        )
        return meant.means(happened) and not is_other

    def ended_by(self, happened: Happened, about: str | None) -> ExitOn | None:
        """What ends it for whom this happened to, who began because of ``about``; ``None`` where nothing does."""
        return next((each for each in self.exit_on if self.concerns(each.happening, happened, about)), None)


def _unpinned(steps: Sequence[Written]) -> tuple[Written, ...]:
    found = []
    for each in steps:
        match each.action:
            case Send(content=TemplateContent() as said) as send:
                found.append(replace(each, action=replace(send, content=said.unpinned)))
            case If() as asks:
                asks = replace(asks, then=_unpinned(asks.then), otherwise=_unpinned(asks.otherwise))
                found.append(replace(each, action=asks))
            case _:
                found.append(each)
    return tuple(found)


def _outlined(steps: Sequence[Written]) -> tuple[Written, ...]:
    found = []
    for each in steps:
        match each.action:
            case Send() as send:
                found.append(replace(each, action=replace(send, content=NOT_SAID)))
            case If() as asks:
                then, otherwise = _outlined(asks.then), _outlined(asks.otherwise)
                found.append(replace(each, action=If(filter=NOT_ASKED, then=then, otherwise=otherwise)))
            case _:
                found.append(each)
    return tuple(found)


class KnownSequence(Struct, frozen=True, kw_only=True):
    """A sequence of a business as it is now: its newest version is what whoever begins goes through.

    Of the ``definition`` nothing but the ``outline`` is there, unless it is a ``SavedSequence``.

    ``uid`` names it for good: an id that is free again may be given to another. ``switched_at`` is when it was
    switched on or off last; ``late`` is what becomes of what came due while it was off. Messages that were to go out up
    to ``lapsed_until`` go out no more. ``owes`` is what was begun with it and is not known to be done.
    ``row_version`` counts the writes of the stored row, 0 for none yet.
    """

    business_id: str
    sequence_id: str
    uid: str
    name: str
    status: SequenceStatus
    version: int
    definition: Definition
    late: Late = Late.GO_ON
    created_at: datetime
    updated_at: datetime
    switched_at: datetime
    lapsed_until: datetime | None = None
    owes: Owes | None = None
    row_version: int = 0

    @property
    def is_on(self) -> bool:
        """Whether anything happens."""
        return self.status is SequenceStatus.ON

    @property
    def was_off(self) -> bool:
        """Whether it has been switched since it was made."""
        return self.switched_at > self.created_at

    def has_lapsed(self, due_at: datetime) -> bool:
        """Whether what came due then has lapsed: it was switched on later, and what is late lapses."""
        return self.was_off and self.late is Late.LAPSE and due_at <= self.switched_at

    def gate(self, version: int) -> Gate | None:
        """How it stands for who hands over its messages, as the ``version`` of its row."""
        is_gone = self.owes is Owes.DELETION
        return None if is_gone else Gate(self.uid, self.is_on, self.lapsed_until, version)

    @property
    def may_have_people(self) -> bool:
        """Whether somebody may be inside: it is on, or has been since it was made."""
        return self.is_on or self.was_off

    @property
    def may_plan(self) -> bool:
        """Whether somebody may wait in it for what is to come; of earlier versions it is taken to be so."""
        return self.version > 1 or self.definition.trigger.is_planned

    def may_hear(self, happened: Happened) -> bool:
        """Whether it could mean something to somebody inside, or start; earlier versions are taken to hear all.

        Who is given a tag may begin to match what a sequence is entered by.
        """
        may_enter = self.definition.is_entered and happened.kind is Kind.TAG_ADDED
        return self.version > 1 or may_enter or self.definition.hears(happened)

    @property
    def may_hear_activity(self) -> bool:
        """Whether what a customer does could mean something here; earlier versions are taken to hear it."""
        return self.may_have_people and (self.version > 1 or self.definition.hears_activity)


class SavedSequence(KnownSequence, frozen=True, kw_only=True):
    """A sequence with all that its newest version says."""

    @property
    def known(self) -> KnownSequence:
        """What is kept of it beside its versions."""
        fields = {name: getattr(self, name) for name in KnownSequence.__struct_fields__}
        return KnownSequence(**{**fields, "definition": self.definition.outline})

    def stands(self, status: SequenceStatus, late: Late, now: datetime) -> SavedSequence:
        """On or off, with what becomes of what was late by the time that it was switched on."""
        after = replace(self, status=status, late=late)
        if status is not self.status:
            after = replace(after, switched_at=now, owes=Owes.GOING_ON if after.is_on else None)
        if after.is_on and after.was_off and late is Late.LAPSE:
            after = replace(after, lapsed_until=after.switched_at)
        return after
