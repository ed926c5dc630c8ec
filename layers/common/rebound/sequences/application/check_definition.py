"""What is wrong with a sequence, as a client writes it down, before it is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import replace
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, json

from rebound.customers.application.profile_checks import checked_tags
from rebound.kernel.categories import Category
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.sequences.domain.documents import written_definition
from rebound.sequences.domain.happenings import NARROWED_BY, NEEDED, STARTS, Kind
from rebound.sequences.domain.sequences import MOST_BYTES, MOST_EXITS
from rebound.sequences.domain.steps import DEEPEST, LONGEST_WAIT, MOST_STEPS, If, Send, Tag, Wait, every
from rebound.templates.domain.rendering import check_said

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.segments.application.pin_filters import PinFilters
    from rebound.sequences.domain.happenings import Happening
    from rebound.sequences.domain.sequences import Definition
    from rebound.sequences.domain.steps import Written

OWN_DOING: Final = frozenset(
    {
        Kind.VISIT,
        Kind.PACKAGE_LAST_CREDIT,
        Kind.MEMBERSHIP_EXPIRING,
        Kind.RENEWAL_FAILED,
        Kind.WAIVER_CHANGED,
        Kind.MISSED_CALL,
        Kind.REPLY,
        Kind.CUSTOM,
    }
)
"""What transactional messages may answer: what the customer did, or what they have with the business."""


class CheckDefinition(Struct, frozen=True, kw_only=True):
    """Refuses what could not be done. Paths are those of the request."""

    pin: PinFilters

    def __call__(self, business: Business, definition: Definition) -> None:
        """Raises ``InvalidInputError`` with everything that is wrong."""
        errors = [
            *_about_trigger(definition),
            *self._about_segment(business, definition.trigger),
            *self._about_filter(business, definition.filter, "filter"),
            *self._about_steps(business, definition, definition.steps, "steps", 1),
            *_about_size(definition),
            *_about_ids(definition.steps),
        ]
        if len(definition.exit_on) > MOST_EXITS:
            errors.append(FieldError("exit_on", f"At most {MOST_EXITS}."))
        for number, one in enumerate(definition.exit_on):
            errors += _about_happening(one.happening, f"exit_on[{number}]")
        if errors:
            raise InvalidInputError(*errors)

    def _about_segment(self, business: Business, trigger: Happening) -> Iterator[FieldError]:
        """The segment whose customers begin must be there."""
        segment_id = trigger.about.get("segment_id")
        if segment_id is not None:
            for error in self._about_filter(business, {"segment": segment_id}, "trigger"):
                yield replace(error, field="trigger.segment_id")

    def _about_filter(self, business: Business, tree: Mapping[str, Any] | None, path: str) -> Iterator[FieldError]:
        if tree is None:
            return
        try:
            self.pin.filter(business.business_id, tree, path)
        except InvalidInputError as error:
            yield from error.errors

    def _about_steps(
        self, business: Business, definition: Definition, steps: Sequence[Written], path: str, depth: int
    ) -> Iterator[FieldError]:
        if depth > DEEPEST + 1:
            yield FieldError(path, f"Conditions may stand within each other {DEEPEST} deep.")
            return
        for number, step in enumerate(steps):
            at, action = f"{path}[{number}]", step.action
            match action:
                case Wait():
                    yield from _about_wait(action, f"{at}.wait")
                case Send():
                    yield from _about_send(business, definition, action, f"{at}.send")
                case If():
                    yield from self._about_filter(business, action.filter, f"{at}.if")
                    yield from self._about_steps(business, definition, action.then, f"{at}.then", depth + 1)
                    yield from self._about_steps(business, definition, action.otherwise, f"{at}.else", depth + 1)
                case Tag():
                    if (action.add is None) == (action.remove is None):
                        yield FieldError(f"{at}.tag", "Give exactly one of add, remove.")
                    yield from _about_tag(action.add, f"{at}.tag.add")
                    yield from _about_tag(action.remove, f"{at}.tag.remove")
                case _:
                    pass


def _about_tag(tag: str | None, path: str) -> Iterator[FieldError]:
    """Whether a customer can have it."""
    if tag is None:
        return
    try:
        checked_tags([tag])
    except InvalidInputError as error:
        for each in error.errors:
            yield replace(each, field=path)


def _about_wait(wait: Wait, path: str) -> Iterator[FieldError]:
    if not wait.for_ and wait.until_local is None:
        yield FieldError(path, "Give days, hours or minutes, until_local, or both; with for_event at most how long.")
    if wait.for_ > LONGEST_WAIT:
        yield FieldError(path, f"At most {LONGEST_WAIT.days} days.")
    if wait.weekday is not None and wait.until_local is None:
        yield FieldError(f"{path}.weekday", "Needs until_local: at what time of that day.")
    if wait.for_event is not None:
        yield from _about_happening(wait.for_event, f"{path}.for_event")


def _about_send(business: Business, definition: Definition, send: Send, path: str) -> Iterator[FieldError]:
    if not send.category.traits.is_in_sequences:
        allowed = ", ".join(sorted(each for each in Category if each.traits.is_in_sequences))
        yield FieldError(f"{path}.category", f"Sequences send {allowed}; what they send is to many, by itself.")
    elif not send.category.is_bulk and definition.trigger.kind not in OWN_DOING:
        yield FieldError(
            f"{path}.category",
            f"Cannot be {send.category}: {definition.trigger.kind} is nothing that the customer did. Take marketing.",
        )
    try:
        check_said(send.content, send.category, business)
    except InvalidInputError as error:
        for each in error.errors:
            yield replace(each, field=f"{path}.{each.field}")


def _about_trigger(definition: Definition) -> Iterator[FieldError]:
    trigger = definition.trigger
    if trigger.kind is Kind.SEGMENT_ENTERED and not trigger.about and definition.filter is not None:
        # Whoever begins to match its filter enters.
        return
    yield from _about_happening(trigger, "trigger", starts=True)


def _about_happening(happening: Happening, path: str, *, starts: bool = False) -> Iterator[FieldError]:
    kind = happening.kind
    if starts and kind not in STARTS:
        allowed = ", ".join(each for each in Kind if each in STARTS)
        yield FieldError(f"{path}.kind", f"Cannot start a sequence; these can: {allowed}.")
        return
    if not starts and kind is Kind.SEGMENT_ENTERED:
        yield FieldError(f"{path}.kind", "Only starts a sequence; a condition asks whether somebody is in a segment.")
        return
    for name in sorted(set(happening.about) - set(NARROWED_BY[kind])):
        allowed = ", ".join(NARROWED_BY[kind]) or "nothing"
        yield FieldError(f"{path}.{name}", f"Says nothing about {kind}, which may be narrowed by {allowed}.")
    needed = NEEDED.get(kind)
    if needed is not None and needed not in happening.about:
        yield FieldError(f"{path}.{needed}", f"Is required for {kind}.")
    if kind is Kind.TAG_ADDED:
        yield from _about_tag(happening.about.get("tag"), f"{path}.tag")
    is_ahead = starts and kind is Kind.MEMBERSHIP_EXPIRING
    if is_ahead and happening.days_before is None:
        yield FieldError(f"{path}.days_before", "Is required: how many days before the membership ends.")
    if not is_ahead and happening.days_before is not None:
        yield FieldError(f"{path}.days_before", "Is for the trigger membership_expiring alone.")


def _about_size(definition: Definition) -> Iterator[FieldError]:
    count = sum(1 for _ in every(definition.steps))
    if count > MOST_STEPS:
        yield FieldError("steps", f"At most {MOST_STEPS}, those within conditions included; there are {count}.")
    size = len(json.encode(written_definition(definition)))
    if size > MOST_BYTES:
        message = f"With all messages and conditions the sequence has {size} bytes; at most {MOST_BYTES} are allowed."
        yield FieldError("steps", message)


def _about_ids(steps: Sequence[Written]) -> Iterator[FieldError]:
    """Ids must tell the steps apart; those that are called by their place are never called as another is."""
    definition_ids = [step.step_id for step in every(steps) if step.step_id is not None]
    twice = sorted({each for each in definition_ids if definition_ids.count(each) > 1})
    if twice:
        yield FieldError("steps", f"Two steps have the same id: {', '.join(twice)}.")
