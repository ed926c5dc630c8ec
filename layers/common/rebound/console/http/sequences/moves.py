"""What the buttons of the editor do to the steps of a sequence, its exits and its conditions.

A step moves in the order in which steps are read, into what is done under a condition and out of it, so that two
buttons reach every place.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Final
from uuid import uuid4

from msgspec import Struct

from rebound.console.http.requests import Form
from rebound.console.http.segments import done as done_to_conditions
from rebound.console.http.sequences.form import KINDS, HappeningTyped, StepTyped, Typed, condition_at
from rebound.console.http.typed import whole_number
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.sequences.domain.happenings import Kind
from rebound.sequences.domain.sequences import MOST_EXITS
from rebound.sequences.domain.steps import MOST_STEPS

FIRST: Final[Mapping[str, Mapping[str, str]]] = {
    "wait": {"days": "1"},
    "send": {"channel": Channel.EMAIL, "category": Category.MARKETING, "say": "own"},
    "if": {},
    "tag": {"how": "add"},
    "exit": {},
}
"""What stands in a new step."""


class Done(Struct, frozen=True):
    """What a button did: words and what is filled in, and where one goes on, by the id of an element."""

    words: str
    focus: str = ""
    filled: Mapping[str, Any] = {}


def new_step(kind: str) -> StepTyped:
    """An empty one, with an id that no other has."""
    return StepTyped(kind, f"{kind}-{uuid4().hex[:8]}", "", dict(FIRST[kind]))


def done(typed: Typed, what: str, form: Form, location_id: str | None) -> Done | None:
    """Do what a button says; ``None`` of what is no button of these, or can no longer be done."""
    action, _, place = what.partition(":")
    if place.partition(".")[0] == "x":
        return _with_exits(typed, action, place)
    if place[:1] in ("w", "c"):
        conditions = {condition_at(at): step.condition for at, step in typed.placed() if step.kind == "if"}
        root = {"w": typed.whom, **conditions}.get(place.partition(".")[0])
        is_done = root is not None and done_to_conditions(root, what, form, location_id)
        return Done("sequences.did.condition", what) if is_done else None
    if action == "add":
        return _added(typed, place, form.one(f"{place}.new"))
    if action == "place":
        at, _, target = place.partition(":")
        return _placed(typed, at, target)
    found = _at(typed, place)
    if found is None:
        return None
    steps, index = found
    match action:
        case "remove":
            del steps[index]
            above = place.rpartition(".")[0]
            return Done(
                "sequences.did.removed", f"remove:{above}.{min(index, len(steps) - 1)}" if steps else f"{above}.new"
            )
        case "copy":
            return _copied(typed, steps, index)
        case "up" | "down":
            return _moved(typed, steps, index, action)
    return None


def _with_exits(typed: Typed, action: str, place: str) -> Done | None:
    if action == "add" and place == "x":
        if len(typed.exits) >= MOST_EXITS:
            return Done("sequences.did.full", "add:x", {"n": MOST_EXITS})
        typed.exits.append(HappeningTyped(Kind.BOOKING))
        return Done("sequences.did.exit_added", f"x.{len(typed.exits) - 1}.kind")
    index = whole_number(place.partition(".")[2], len(typed.exits) - 1)
    if action != "remove" or index is None or not typed.exits:
        return None
    del typed.exits[index]
    return Done("sequences.did.exit_removed", "add:x")


def _at(typed: Typed, place: str) -> tuple[list[StepTyped], int] | None:
    """The list in which a step is, and where."""
    above, _, last = place.rpartition(".")
    steps = dict(typed.lists()).get(above)
    index = whole_number(last, len(steps) - 1) if steps else None
    return None if steps is None or index is None else (steps, index)


def _all(step: StepTyped) -> Iterator[StepTyped]:
    yield step
    for each in (*step.then, *step.otherwise):
        yield from _all(each)


def _has_room(typed: Typed, more: int) -> bool:
    return len(list(typed.placed())) + more <= MOST_STEPS


def _added(typed: Typed, place: str, kind: str) -> Done | None:
    steps = dict(typed.lists()).get(place)
    if steps is None or kind not in KINDS:
        return None
    if not _has_room(typed, 1):
        return Done("sequences.did.full", f"{place}.new", {"n": MOST_STEPS})
    steps.append(new_step(kind))
    return Done("sequences.did.added", f"{place}.{len(steps) - 1}")


def _copied(typed: Typed, steps: list[StepTyped], index: int) -> Done:
    copied = deepcopy(steps[index])
    if not _has_room(typed, len(list(_all(copied)))):
        return Done("sequences.did.full", "", {"n": MOST_STEPS})
    for each in _all(copied):
        each.step_id, each.was = new_step(each.kind).step_id, ""
    steps.insert(index + 1, copied)
    return Done("sequences.did.copied", f"copy:{_where(typed, copied)}")


def _moved(typed: Typed, steps: list[StepTyped], index: int, way: str) -> Done | None:
    step = steps.pop(index)
    slots = list(_slots(typed.steps))
    now = next(number for number, (each, at) in enumerate(slots) if each is steps and at == index)
    target = now + (1 if way == "down" else -1)
    if not 0 <= target < len(slots):
        steps.insert(index, step)
        return None
    into, at = slots[target]
    into.insert(at, step)
    return Done("sequences.did.moved", f"{way}:{_where(typed, step)}")


def _placed(typed: Typed, place: str, target: str) -> Done | None:
    """What was dragged: ``target`` is where it is to be, among the others as they stand before."""
    found, above = _at(typed, place), target.rpartition(".")[0]
    into = dict(typed.lists()).get(above)
    at = whole_number(target.rpartition(".")[2], len(into)) if into is not None else None
    if found is None or into is None or at is None:
        return None
    steps, index = found
    step = steps[index]
    if any(into is each for one in _all(step) for each in (one.then, one.otherwise)):
        return None
    into.insert(at, step)
    del steps[index + 1 if into is steps and at <= index else index]
    return Done("sequences.did.moved", f"up:{_where(typed, step)}")


def _slots(steps: list[StepTyped]) -> Iterator[tuple[list[StepTyped], int]]:
    """Every place where a step may be put, in the order in which steps are read."""
    for index, each in enumerate(steps):
        yield steps, index
        if each.kind == "if":
            yield from _slots(each.then)
            yield from _slots(each.otherwise)
    yield steps, len(steps)


def _where(typed: Typed, step: StepTyped) -> str:
    return next(place for place, each in typed.placed() if each is step)
