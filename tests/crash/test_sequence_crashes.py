"""A worker of sequences, or a client's request about one, stopped at boundaries: nobody twice, and nobody lost.

``make crash`` stops one at every boundary.
"""

import ast
import inspect
from collections.abc import Callable
from copy import replace
from types import ModuleType
from typing import Any, Final
from unittest.mock import patch

import pytest

from rebound.sequences.application import (
    advance,
    do_steps,
    enrol,
    go_on,
    schedule,
    sequence_service,
    switch,
    wake,
)
from rebound.sequences.domain.sequences import SavedSequence
from rebound.sequences.ports import EnrolmentBook, SequenceBook, StepCarriers, StepQueue
from tests.contract.sequences.fakes import MemoryEnrolmentBook
from tests.crash.harness import MODES, boundaries, one_of_each_kind, stopped_at
from tests.crash.sequence_story import SequenceStory

SAMPLES: Final = list(zip(MODES, (8, 32, 24, 32), strict=True))
"""Of each mode, a boundary of each so many-th kind: seconds, where all of them take minutes."""
WORKERS: Final = (advance, do_steps, enrol, go_on, schedule, sequence_service, switch, wake)
PORTS: Final = (EnrolmentBook, SequenceBook, StepCarriers, StepQueue)
ASKED_ELSEWHERE: Final = frozenset({"using"})
"""Before a segment is deleted."""


@pytest.mark.parametrize(("mode", "every"), SAMPLES, ids=lambda value: getattr(value, "name", ""))
def test_whoever_is_stopped_nobody_is_sent_to_twice_and_nobody_is_lost(mode: Any, every: int) -> None:
    reached = boundaries(mode, tale=SequenceStory)
    wrong = [stopped_at(mode, number, tale=SequenceStory) for number in one_of_each_kind(reached, every)]

    assert wrong
    assert [str(violation) for violation in wrong if violation is not None] == []


@pytest.mark.parametrize(
    ("step", "call"),
    [
        ("switch", "jobs.add"),
        ("delete", "sequences.delete"),
        ("delete", "jobs.add"),
        ("advance_sequences", "chunks.add"),
        ("advance_sequences", "timers.put"),
        ("sweep_timers", "step_queue.put"),
        ("run_job", "step_queue.put"),
        ("hear", "step_queue.put"),
    ],
)
def test_where_it_shows_it_is_tried_in_any_case(step: str, call: str) -> None:
    reached = boundaries(MODES[0], tale=SequenceStory)
    numbers = [number for number, here in enumerate(reached) if (here.step, here.call) == (step, call)]
    assert numbers
    wrong = [stopped_at(MODES[0], number, tale=SequenceStory) for number in {*numbers[:2], *numbers[-2:]}]

    assert [str(violation) for violation in wrong if violation is not None] == []


def test_the_fortnight_comes_to_every_call_of_sequences_that_workers_can_make() -> None:
    reached = {here.call.partition(".")[2] for here in boundaries(MODES[0], tale=SequenceStory)}
    methods = {name for port in PORTS for name, found in vars(port).items() if inspect.isfunction(found)}
    called = {name for module in WORKERS for name in _called(module)}

    assert len(called & methods) > len(PORTS)
    assert (called & methods) - reached - ASKED_ELSEWHERE == set()


def _called(module: ModuleType) -> set[str]:
    nodes = ast.walk(ast.parse(inspect.getsource(module)))
    return {node.func.attr for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)}


# --- it finds what is wrong -------------------------------------------------------------------------------------------


def schedules_nobody_again() -> Any:
    """Who wrote that somebody waits, and died before they had them woken, leaves them for ever."""
    mine = advance._Pass._is_mine

    def only(self: Any, enrolment: Any) -> bool:
        found = mine(self, enrolment)
        self.waiting.clear()
        return found

    return patch.object(advance._Pass, "_is_mine", only)


def forgets_whose_hands_they_are_in() -> Any:
    """A task that comes again takes those whom it had in hand for somebody else's."""
    written = MemoryEnrolmentBook._write

    def write(self: MemoryEnrolmentBook, before: Any, after: Any) -> Any:
        return written(self, before, replace(after, batch=None if after.batch is None else "nobody's"))

    return patch.object(MemoryEnrolmentBook, "_write", write)


def wakes_nobody_who_is_asked_again() -> Any:
    """Nobody remembers that it was switched on and that what waited for that has not gone on."""
    stands = SavedSequence.stands

    def once(self: SavedSequence, *given: Any) -> SavedSequence:
        return replace(stands(self, *given), owes=None)

    return patch.object(SavedSequence, "stands", once)


@pytest.mark.parametrize(
    ("mutation", "step", "call"),
    [
        (schedules_nobody_again, "advance_sequences", "timers.put"),
        (forgets_whose_hands_they_are_in, "advance_sequences", "chunks.add"),
        (wakes_nobody_who_is_asked_again, "switch", "jobs.add"),
    ],
)
def test_a_fault_is_found(mutation: Callable[[], Any], step: str, call: str) -> None:
    with mutation():
        try:
            reached = boundaries(MODES[0], tale=SequenceStory)
        except AssertionError:
            return
        numbers = [number for number, here in enumerate(reached) if (here.step, here.call) == (step, call)]
        assert any(stopped_at(MODES[0], number, tale=SequenceStory) for number in numbers)
