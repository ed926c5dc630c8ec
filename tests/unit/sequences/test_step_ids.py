"""What steps are called: each by an id of its own, so that none is lost, however they are written down."""

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.console.http.sequences.editor import _typed_of
from rebound.console.http.sequences.form import StepTyped
from rebound.kernel.errors import InvalidInputError
from rebound.sequences.domain.happenings import Happening, Kind
from rebound.sequences.domain.sequences import Definition
from rebound.sequences.domain.steps import If, Program, Written, every
from rebound.sequences.http.shapes import SequenceRequest, definition_in_answer
from tests.fakes.making import BUSINESS_ID, NOON, business, customer, id_of
from tests.unit.sequences.worlds import (
    BY_HAND,
    DAY,
    HOUR,
    SEQUENCE_ID,
    SequenceWorld,
    definition_of,
    send,
    steps,
    tag,
    tagged,
    wait,
)

IDS: Final = (
    st.none()
    | st.sampled_from(["1", "2", "3"])
    | st.sampled_from(["1_2", "2_2", "1.then.1", "2.else.1", "1_2.then.1", "a", "b" * 60, "c" * 64])
)
LEAVES: Final = st.builds(Written, st.sampled_from([wait(DAY), tag("t")]), IDS)
TREES: Final = st.recursive(
    st.lists(LEAVES, max_size=4),
    lambda inner: st.lists(
        LEAVES | st.builds(Written, st.builds(tagged, st.just("v"), inner.map(tuple), inner.map(tuple)), IDS),
        max_size=4,
    ),
    max_leaves=12,
).map(tuple)


def own_ids(written: tuple[Written, ...]) -> list[str]:
    return [each.step_id for each in every(written) if each.step_id]


def _told_apart(written: tuple[Written, ...], taken: set[str]) -> tuple[Written, ...]:
    """The same, with each id of their own only where it is first."""
    found = []
    for each in written:
        step_id, action = None if each.step_id in taken else each.step_id, each.action
        if step_id is not None:
            taken.add(step_id)
        if isinstance(action, If):
            action = tagged("v", _told_apart(action.then, taken), _told_apart(action.otherwise, taken))
        found.append(Written(action, step_id))
    return tuple(found)


def put_back(steps: list[dict[str, Any]]) -> Definition:
    document = {"name": "x", "trigger": {"kind": "custom", "name": "welcome"}, "steps": steps}
    return SequenceRequest.model_validate(document).read(BUSINESS_ID).definition


@given(TREES.map(lambda tree: _told_apart(tree, set())))
def test_every_step_that_is_written_down_is_gone_through(written: tuple[Written, ...]) -> None:
    program = Program.of(written)
    assert [type(each.action) for each in program.steps.values()] == [type(each.action) for each in every(written)]
    assert set(own_ids(written)) <= set(program.steps)
    for step in program.steps.values():
        assert {step.next_id, step.else_id} <= {None, *program.steps}
    answered = definition_in_answer(Definition(trigger=BY_HAND, steps=written))["steps"]
    got = [each.model_dump(mode="json", by_alias=True, exclude_none=True) for each in answered]
    again = put_back(got)
    assert own_ids(again.steps) == list(program.steps)
    assert Program.of(again.steps).steps.keys() == program.steps.keys()


@given(TREES, st.data())
def test_whoever_edits_steps_loses_none_and_keeps_what_the_others_are_called(
    written: tuple[Written, ...], data: st.DataObject
) -> None:
    bare = _told_apart(written, set()) if data.draw(st.booleans()) else _bare(written)
    definition = Definition(trigger=Happening(kind=Kind.CUSTOM, about={"name": "w"}), steps=bare)
    typed = _typed_of("Welcome", definition)
    # What is not changed is as it was.
    same = SequenceRequest.model_validate(typed.document()).read(BUSINESS_ID).definition
    assert [each.step_id for each in every(same.steps)] == [each.step_id for each in every(definition.steps)]
    _, into = data.draw(st.sampled_from(list(typed.lists())))
    into.insert(data.draw(st.integers(0, len(into))), StepTyped("wait", typed={"days": "1"}))
    after = SequenceRequest.model_validate(typed.document()).read(BUSINESS_ID).definition
    assert len(after.program.steps) == len(definition.program.steps) + 1
    assert set(definition.program.steps) <= set(after.program.steps)


def _bare(written: tuple[Written, ...]) -> tuple[Written, ...]:
    """The same without ids."""
    return tuple(
        Written(
            tagged("v", _bare(each.action.then), _bare(each.action.otherwise))
            if isinstance(each.action, If)
            else each.action
        )
        for each in written
    )


def test_a_step_put_before_those_that_were_answered_is_done_as_well() -> None:
    world = SequenceWorld(business())
    world.add(customer(1))
    written = (Written(send("new")), Written(send("a"), "1"), Written(wait(HOUR)), Written(send("b"), "2"))
    world.set_up(steps=written)
    world.sequence_service.enrol(BUSINESS_ID, SEQUENCE_ID, id_of(1), "e1")
    world.live_until(NOON + DAY)

    assert sorted(world.subjects(id_of(1))) == ["a", "b", "new"]


def test_steps_without_ids_are_called_by_their_places() -> None:
    program = definition_of(tag("a"), tagged("v", steps(tag("b")), steps(tag("c"), tag("d")))).program
    assert list(program.steps) == ["1", "2", "2.then.1", "2.else.1", "2.else.2"]


def test_two_ids_of_the_clients_own_are_not_the_same() -> None:
    world = SequenceWorld(business())
    with pytest.raises(InvalidInputError, match="same id"):
        world.set_up(steps=(Written(tag("a"), "1"), Written(tagged("v", (Written(tag("b"), "1"),)))))
