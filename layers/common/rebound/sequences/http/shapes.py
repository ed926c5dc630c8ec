"""Sequences: shapes."""

from collections.abc import Iterator, Mapping, Sequence
from copy import replace
from datetime import time, timedelta
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator

from rebound.businesses.http import ClockTime
from rebound.campaigns.http.requests import Name
from rebound.customers.application.profile_checks import MAX_TAG
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.messages.http import SaidAnswer, Says, said_in_answer
from rebound.platform.http.problems import fields_of_content
from rebound.platform.http.shapes import Answer, Request, Time, is_none, text_of
from rebound.recurring.domain.days import Weekday
from rebound.segments.http.filters import Filter
from rebound.sequences.application.sequence_service import Wanted
from rebound.sequences.application.warn import WarningKind
from rebound.sequences.domain.happenings import NARROWED_BY, Happening, Kind
from rebound.sequences.domain.sequences import (
    MOST_EXITS,
    Definition,
    ExitOn,
    Late,
    Reentry,
    SavedSequence,
    SequenceStatus,
)
from rebound.sequences.domain.steps import MOST_STEPS, Action, Exit, If, Send, Tag, Wait, Written, with_ids

STEP_ID = r"^[A-Za-z0-9_.-]{1,64}$"
"""Also as a step is called by its place, which is answered."""
ABOUT = tuple(dict.fromkeys(name for names in NARROWED_BY.values() for name in names))
_Text = Annotated[str, Field(min_length=1, max_length=128)]
_Tag = Annotated[str, Field(min_length=1, max_length=MAX_TAG)]


class HappeningShape(Request):
    """What happens with a customer; the fields besides kind narrow it down, each to some kinds."""

    kind: Annotated[Kind, Field(strict=False)]
    class_id: _Text | None = None
    class_type: _Text | None = None
    template_id: _Text | None = Field(default=None, description="The kind of booking, as bookings of yours have it.")
    series_id: _Text | None = None
    location_id: _Text | None = None
    product_id: _Text | None = None
    package_id: _Text | None = None
    membership_id: _Text | None = None
    waiver_id: _Text | None = None
    tag: _Tag | None = None
    segment_id: _Text | None = None
    name: _Text | None = Field(default=None, description="Of custom: your own name for it.")

    def read(self, days_before: int | None = None) -> Happening:
        """What is meant."""
        about = {name: value for name in ABOUT if (value := getattr(self, name)) is not None}
        return Happening(kind=self.kind, about=about, days_before=days_before)

    @classmethod
    def fields_of(cls, happening: Happening) -> dict[str, Any]:
        """The fields for one."""
        return {"kind": happening.kind, **happening.about}


class TriggerShape(HappeningShape):
    """What starts it."""

    days_before: Annotated[int, Field(ge=0, le=365)] | None = Field(
        default=None, description="Of membership_expiring: how many days before it ends."
    )


class ExitShape(HappeningShape):
    """What ends it for somebody at once."""

    goal: bool = Field(default=False, description="Whether that is what the sequence was for.")


class WaitShape(Request):
    """How long: a duration, then until a time of the day there, if one is given; a day has 24 hours.

    With for_event until that happens, and at most so long.
    """

    days: Annotated[int, Field(ge=0, le=400)] = 0
    hours: Annotated[int, Field(ge=0, le=9600)] = 0
    minutes: Annotated[int, Field(ge=0, le=1440)] = 0
    seconds: Annotated[int, Field(ge=0, le=3600)] = Field(default=0, description="For trying it out.")
    until_local: ClockTime | None = Field(
        default=None, description="HH:MM by the customer's own clock: that of their time_zone, else the business's."
    )
    weekday: Annotated[Weekday, Field(strict=False)] | None = Field(default=None, description="With until_local.")
    for_event: HappeningShape | None = None

    def read(self) -> Wait:
        """The wait."""
        return Wait(
            for_=timedelta(days=self.days, hours=self.hours, minutes=self.minutes, seconds=self.seconds),
            until_local=None if self.until_local is None else time.fromisoformat(self.until_local),
            weekday=self.weekday,
            for_event=None if self.for_event is None else self.for_event.read(),
        )


class SendShape(Says):
    """A message: content as it is, or made from a template, as that is published when the message is sent."""

    channel: Annotated[Channel, Field(strict=False)]
    category: Annotated[Category, Field(strict=False)] = Field(
        description="marketing, loyalty, daily_deal; transactional where it answers what the customer did."
    )

    def read(self, business_id: str, path: str) -> Send:
        """The message. Raises ``InvalidInputError`` with paths below ``path``."""
        try:
            said = self.said(business_id, self.channel, self.category)
        except InvalidInputError as error:
            raise InvalidInputError(*(replace(each, field=f"{path}.{each.field}") for each in error.errors)) from None
        except ValidationError as error:
            raise InvalidInputError(*fields_of_content(error, f"{path}.content")) from None
        return Send(channel=self.channel, category=self.category, content=said)


class TagShape(Request):
    """A tag: exactly one of the two."""

    add: _Tag | None = None
    remove: _Tag | None = None


class ExitStepShape(Request):
    """Leave the sequence."""


ONE_STEP = "A step has exactly one of wait, send, if, tag, exit."


class StepShape(Request):
    """One step: exactly one of wait, send, if (with then and else), tag and exit."""

    id: Annotated[str, text_of(pattern=STEP_ID), Field(pattern=STEP_ID)] | None = Field(
        default=None, description="A name of your own, by which results are told; else it is called by its place."
    )
    wait: WaitShape | None = None
    send: SendShape | None = None
    if_: Filter | None = Field(default=None, alias="if", description="A filter, asked when somebody comes here.")
    then: Annotated[list["StepShape"], Field(max_length=MOST_STEPS)] | None = None
    else_: Annotated[list["StepShape"], Field(max_length=MOST_STEPS)] | None = Field(default=None, alias="else")
    tag: TagShape | None = None
    exit: ExitStepShape | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [self.wait, self.send, self.if_, self.tag, self.exit]
        if given.count(None) != len(given) - 1:
            raise ValueError(ONE_STEP)
        if self.if_ is None and (self.then is not None or self.else_ is not None):
            raise ValueError("then and else belong to a step with if.")
        return self

    def read(self, business_id: str, path: str, wrong: list[FieldError]) -> Written | None:
        """The step; ``None`` where it is wrong, which is added to ``wrong``."""
        try:
            return Written(self._action(business_id, path, wrong), self.id)
        except InvalidInputError as error:
            wrong.extend(error.errors)
            return None

    def _action(self, business_id: str, path: str, wrong: list[FieldError]) -> Action:
        if self.wait is not None:
            return self.wait.read()
        if self.send is not None:
            return self.send.read(business_id, f"{path}.send")
        if self.if_ is not None:
            then = read_steps(self.then or [], business_id, f"{path}.then", wrong)
            return If(
                filter=self.if_, then=then, otherwise=read_steps(self.else_ or [], business_id, f"{path}.else", wrong)
            )
        if self.tag is not None:
            return Tag(add=self.tag.add, remove=self.tag.remove)
        return Exit()


def read_steps(steps: Sequence[StepShape], business_id: str, path: str, wrong: list[FieldError]) -> tuple[Written, ...]:
    """The steps of a list; what is wrong with them is added to ``wrong``."""
    read = (step.read(business_id, f"{path}[{number}]", wrong) for number, step in enumerate(steps))
    return tuple(step for step in read if step is not None)


class SequenceRequest(Request):
    """What is to happen by itself once something has happened with a customer."""

    name: Name
    trigger: TriggerShape
    filter: Filter | None = Field(
        default=None,
        description="Whom it is for, asked when somebody would begin: of membership_expiring, when it is due.",
    )
    reentry: Annotated[Reentry, Field(strict=False)] = Field(
        default=Reentry.NEVER, description="Whether somebody may begin it again once they have left."
    )
    steps: Annotated[list[StepShape], Field(max_length=MOST_STEPS)]
    exit_on: Annotated[list[ExitShape], Field(max_length=MOST_EXITS)] = Field(default_factory=list)
    status: Annotated[SequenceStatus, Field(strict=False)] = SequenceStatus.OFF
    late: Annotated[Late, Field(strict=False)] = Field(
        default=Late.GO_ON,
        description="What becomes of what came due while it was off, once it is on again: go_on, or lapse, by which "
        "those leave who were due.",
    )

    def read(self, business_id: str) -> Wanted:
        """What is asked for. Raises ``InvalidInputError``."""
        wrong: list[FieldError] = []
        steps = read_steps(self.steps, business_id, "steps", wrong)
        if wrong:
            raise InvalidInputError(*wrong)
        definition = Definition(
            trigger=self.trigger.read(self.trigger.days_before),
            filter=self.filter,
            reentry=self.reentry,
            steps=steps,
            exit_on=tuple(ExitOn(each.read(), each.goal) for each in self.exit_on),
        )
        return Wanted(name=self.name, status=self.status, definition=definition, late=self.late)


class SequenceStatusRequest(Request):
    """What is changed of a sequence without a new version."""

    status: Annotated[SequenceStatus, Field(strict=False)] | None = None
    late: Annotated[Late, Field(strict=False)] | None = None


class WaitAnswer(Answer):
    """How long."""

    days: int
    hours: int
    minutes: int
    seconds: int
    until_local: str | None
    weekday: Weekday | None
    for_event: dict[str, Any] | None


class SendAnswer(SaidAnswer):
    """A message."""

    channel: Channel
    category: Category
    template_version: int | None = Field(
        default=None, exclude_if=is_none, description="Never there: it is what is published when a message is sent."
    )


class TagAnswer(Answer):
    """A tag."""

    add: str | None
    remove: str | None


class StepAnswer(Answer):
    """One step, as requests have it; the id is always there."""

    model_config = ConfigDict(serialize_by_alias=True)

    id: str
    wait: WaitAnswer | None = Field(default=None, exclude_if=is_none)
    send: SendAnswer | None = Field(default=None, exclude_if=is_none)
    if_: dict[str, Any] | None = Field(default=None, alias="if", exclude_if=is_none)
    then: list["StepAnswer"] | None = Field(default=None, exclude_if=is_none)
    else_: list["StepAnswer"] | None = Field(default=None, alias="else", exclude_if=is_none)
    tag: TagAnswer | None = Field(default=None, exclude_if=is_none)
    exit: dict[str, Any] | None = Field(default=None, exclude_if=is_none)


def step_answers(steps: Sequence[Written]) -> Iterator[StepAnswer]:
    """The answers for steps that all have ids."""
    for step in steps:
        yield StepAnswer(id=step.step_id or "", **_fields_of(step.action))


def _fields_of(action: Action) -> Mapping[str, Any]:
    match action:
        case Wait():
            return {"wait": _wait_answer(action)}
        case Send():
            said = said_in_answer(action.content)
            return {"send": SendAnswer(channel=action.channel, category=action.category, **said)}
        case If():
            then = list(step_answers(action.then))
            otherwise = list(step_answers(action.otherwise))
            return {"if": dict(action.filter), "then": then, "else": otherwise}
        case Tag():
            return {"tag": TagAnswer(add=action.add, remove=action.remove)}
        case Exit():
            return {"exit": {}}


def _wait_answer(wait: Wait) -> WaitAnswer:
    minutes, seconds = divmod(wait.for_.seconds, 60)
    return WaitAnswer(
        days=wait.for_.days,
        hours=minutes // 60,
        minutes=minutes % 60,
        seconds=seconds,
        until_local=None if wait.until_local is None else f"{wait.until_local:%H:%M}",
        weekday=wait.weekday,
        for_event=None if wait.for_event is None else HappeningShape.fields_of(wait.for_event),
    )


class InsideAnswer(Answer):
    """How many are inside on a version."""

    version: int
    enrolments: int


class WarningAnswer(Answer):
    """Something of a sequence that cannot be done as things are now."""

    kind: WarningKind = Field(
        description="template: a message cannot be made from its template, so the step is passed over; filter: it "
        "cannot be asked, so nobody matches it; held: too many messages of the step went wrong; unfinished: whoever "
        "switched it on, or deletes it, did not come to the end."
    )
    step_id: str | None = Field(description="Null where it is about who begins, or about all.")
    message: str


class SequenceAnswer(Answer):
    """A sequence as it is now: whoever begins goes through this version."""

    sequence_id: str
    name: str
    status: SequenceStatus
    version: int = Field(description="Counts what was published; whoever is inside stays on theirs.")
    trigger: dict[str, Any]
    filter: dict[str, Any] | None
    reentry: Reentry
    steps: list[StepAnswer]
    exit_on: list[dict[str, Any]]
    late: Late
    inside: list[InsideAnswer] = Field(
        description="How many are inside on which version, the newest first; counted a few seconds late. They may be "
        "moved to the newest."
    )
    warnings: list[WarningAnswer] | None = Field(
        default=None, description="What of the newest version cannot be done as things are now. Null in lists."
    )
    switched_at: Time
    created_at: Time
    updated_at: Time

    @classmethod
    def of(cls, sequence: SavedSequence, inside: Mapping[int, int]) -> Self:
        """The answer for a sequence; ``inside`` is how many are on which version."""
        answers = [InsideAnswer(version=version, enrolments=count) for version, count in inside.items()]
        return cls.filled(sequence, inside=answers, warnings=None, **definition_in_answer(sequence.definition))


def definition_in_answer(definition: Definition) -> dict[str, Any]:
    """The fields that say what is done, as requests have them."""
    trigger = HappeningShape.fields_of(definition.trigger)
    if definition.trigger.days_before is not None:
        trigger["days_before"] = definition.trigger.days_before
    return {
        "trigger": trigger,
        "filter": None if definition.filter is None else dict(definition.filter),
        "reentry": definition.reentry,
        "steps": list(step_answers(with_ids(definition.steps))),
        "exit_on": [{**HappeningShape.fields_of(one.happening), "goal": one.is_goal} for one in definition.exit_on],
    }


class SequenceList(Answer):
    """Sequences of a business, by id."""

    items: list[SequenceAnswer]
    next_cursor: str | None


class EnrolledAnswer(Answer):
    """Whether somebody begins."""

    enrolled: bool = Field(
        description="False where they are inside already, have begun because of the same entry_key, may not begin "
        "again, or are none of those whom it is for."
    )
