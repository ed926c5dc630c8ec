"""The steps of a sequence, as a business writes them down and as somebody goes through them.

Written down, steps are a list in which a condition has lists of its own. To go through them they are laid out one after
another (``Program``): each has an id, and says which step comes next. The id is the client's, or follows from the place
(``2.then.1``) and is one that no other has; where somebody stands is kept by it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import replace
from datetime import time, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.recurring.domain.days import Weekday
from rebound.templates.domain.content import Said

if TYPE_CHECKING:
    from rebound.sequences.domain.happenings import Happening

MOST_STEPS: Final = 100
"""Of one sequence, those within conditions included."""
DEEPEST: Final = 5
"""How many conditions may stand within each other."""
LONGEST_ID: Final = 64
"""Of a step."""
LONGEST_WAIT: Final = timedelta(days=400)


class Wait(Struct, frozen=True, kw_only=True, tag="wait"):
    """Wait ``for_`` so long, and then until clocks where the customer is show ``until_local`` (on a ``weekday``).

    With ``for_event`` until that happens, and at most so long. A day has 24 hours.
    """

    for_: timedelta = timedelta()
    until_local: time | None = None
    weekday: Weekday | None = None
    for_event: Happening | None = None


class Send(Struct, frozen=True, kw_only=True, tag="send"):
    """Send a message."""

    channel: Channel
    category: Category
    content: Said


class If(Struct, frozen=True, kw_only=True, tag="if"):
    """Go on with ``then`` if the customer matches a filter at that moment, else with ``otherwise``."""

    filter: Mapping[str, Any]
    then: tuple[Written, ...] = ()
    otherwise: tuple[Written, ...] = ()


class Tag(Struct, frozen=True, kw_only=True, tag="tag"):
    """Give the customer a tag, or take one away."""

    add: str | None = None
    remove: str | None = None


class Exit(Struct, frozen=True, tag="exit"):
    """Leave the sequence."""


type Action = Wait | Send | If | Tag | Exit


class Written(Struct, frozen=True):
    """A step as it is written down; without a ``step_id`` it is called by its place (``with_ids``)."""

    action: Action
    step_id: str | None = None


class Step(Struct, frozen=True):
    """A step as it is gone through: what is done, and which step comes next; ``None`` where the sequence ends.

    Of a condition, ``next_id`` is where those go on who match, and ``else_id`` the others.
    """

    step_id: str
    action: Action
    next_id: str | None
    else_id: str | None = None


class Program(Struct, frozen=True):
    """The steps of one version of a sequence, by id, in the order in which they are written down."""

    steps: Mapping[str, Step]

    @property
    def first_id(self) -> str | None:
        """Where somebody begins; ``None`` where nothing is to be done."""
        return next(iter(self.steps), None)

    @classmethod
    def of(cls, written: Sequence[Written]) -> Program:
        """Lay out steps that have been checked (``checked``)."""
        return cls({step.step_id: step for step in _laid_out(with_ids(written), None)})


def every(written: Sequence[Written]) -> Iterator[Written]:
    """All steps of a list, each before those within it."""
    for each in written:
        yield each
        if isinstance(each.action, If):
            yield from every(each.action.then)
            yield from every(each.action.otherwise)


def with_ids(written: Sequence[Written]) -> tuple[Written, ...]:
    """The same steps, each with an id: its own, or by its place one that no other step has."""
    return _with_ids(written, "", {each.step_id for each in every(written) if each.step_id})


def id_of_place(place: str, taken: Collection[str]) -> str:
    """What a step at a place is called where these ids are taken."""
    for number in count(1):
        end = "" if number == 1 else f"_{number}"
        # The end of a place tells more than its beginning.
        found = f"{place[-(LONGEST_ID - len(end)) :]}{end}"
        if found not in taken:
            return found
    raise AssertionError("there are more numbers than steps")


def _with_ids(written: Sequence[Written], within: str, taken: set[str]) -> tuple[Written, ...]:
    found = []
    for place, each in enumerate(written, 1):
        step_id, action = each.step_id or id_of_place(f"{within}{place}", taken), each.action
        taken.add(step_id)
        if isinstance(action, If):
            then = _with_ids(action.then, f"{step_id}.then.", taken)
            otherwise = _with_ids(action.otherwise, f"{step_id}.else.", taken)
            action = replace(action, then=then, otherwise=otherwise)
        found.append(Written(action, step_id))
    return tuple(found)


def _laid_out(written: Sequence[Written], after: str | None) -> Iterator[Step]:
    """The steps of a list, all with ids, each before those within it; after the last of them comes ``after``."""
    ids = [each.step_id or "" for each in written]
    for each, step_id, next_id in zip(written, ids, [*ids[1:], after], strict=False):
        action = each.action
        if not isinstance(action, If):
            yield Step(step_id, action, None if isinstance(action, Exit) else next_id)
            continue
        then = list(_laid_out(action.then, next_id))
        otherwise = list(_laid_out(action.otherwise, next_id))
        yield Step(
            step_id,
            action,
            then[0].step_id if then else next_id,
            otherwise[0].step_id if otherwise else next_id,
        )
        yield from then
        yield from otherwise
