"""The state machines, run from their own definitions: what is charged are transitions, what is limited is history.

A small interpreter of the states that the definition uses; what it does not know it refuses.
"""

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from tests.fakes.aws import REPOSITORY

TASK_EVENTS: Final = 5
"""TaskStateEntered, LambdaFunctionScheduled, LambdaFunctionStarted, LambdaFunctionSucceeded, TaskStateExited."""
MAP_EVENTS: Final = 4
"""MapStateEntered, MapStateStarted, MapStateSucceeded, MapStateExited."""
ITERATION_EVENTS: Final = 2
"""MapIterationStarted, MapIterationSucceeded."""
OTHER_EVENTS: Final = 2
"""…StateEntered, …StateExited."""
EXECUTION_EVENTS: Final = 2
"""ExecutionStarted, ExecutionSucceeded."""
START_EXECUTION: Final = "arn:aws:states:::states:startExecution"

type Task = Callable[[str, Mapping[str, Any]], Any]
"""Runs the function behind a resource of the definition."""
type Document = dict[str, Any]


@dataclass(slots=True)
class Spent:
    """What executions have taken so far."""

    transitions: int = 0
    longest_history: int = 0
    executions: int = 0


class ExecutionFailedError(Exception):
    """The execution ended in a Fail state."""


@cache
def definition(name: str) -> Document:
    """A state machine as it is deployed."""
    found: Document = json.loads((REPOSITORY / "statemachines" / f"{name}.asl.json").read_text(encoding="utf-8"))
    return found


class Execution:
    """One execution; iterating it runs it, and gives the seconds of each Wait."""

    def __init__(self, machine: str, given: Document, task: Task, spent: Spent) -> None:
        self._machine = machine
        self._given = given
        self._task = task
        self._spent = spent
        self._history = EXECUTION_EVENTS
        spent.executions += 1

    def __iter__(self) -> Iterator[float]:
        yield from self._run(definition(self._machine), self._given, {})

    def _run(self, machine: Document, data: Any, context: Document) -> Generator[float, None, Any]:
        name: str | None = machine["StartAt"]
        while name is not None:
            state: Document = machine["States"][name]
            self._spent.transitions += 1
            following: str | None = state.get("Next")
            match state["Type"]:
                case "Choice":
                    self._happen(OTHER_EVENTS)
                    following = next((c["Next"] for c in state["Choices"] if _holds(c, data)), state.get("Default"))
                case "Pass":
                    self._happen(OTHER_EVENTS)
                    data = _put(
                        data, state.get("ResultPath", "$"), state.get("Result", self._given_to(state, data, context))
                    )
                case "Wait":
                    self._happen(OTHER_EVENTS)
                    yield float(
                        _at(state["SecondsPath"], data, context) if "SecondsPath" in state else state["Seconds"]
                    )
                case "Task":
                    self._happen(TASK_EVENTS)
                    answer = self._task(state["Resource"], self._given_to(state, data, context))
                    data = _put(data, state.get("ResultPath", "$"), self._selected(state, answer, context))
                case "Map":
                    self._happen(MAP_EVENTS)
                    answers = []
                    for item in _at(state.get("ItemsPath", "$"), data, context):
                        self._happen(ITERATION_EVENTS)
                        inside = {**context, "Map": {"Item": {"Value": item}}}
                        given = _filled(state["ItemSelector"], data, inside) if "ItemSelector" in state else item
                        answers.append((yield from self._run(state["ItemProcessor"], given, inside)))
                    data = _put(data, state.get("ResultPath", "$"), self._selected(state, answers, context))
                case "Succeed":
                    self._happen(OTHER_EVENTS)
                case _:
                    raise ExecutionFailedError(name)
            name = following
        return data

    @staticmethod
    def _given_to(state: Document, data: Any, context: Document) -> Any:
        return _filled(state["Parameters"], data, context) if "Parameters" in state else data

    @staticmethod
    def _selected(state: Document, answer: Any, context: Document) -> Any:
        return _filled(state["ResultSelector"], answer, context) if "ResultSelector" in state else answer

    def _happen(self, events: int) -> None:
        self._history += events
        self._spent.longest_history = max(self._spent.longest_history, self._history)


def _at(path: str, data: Any, context: Document) -> Any:
    found = context if path.startswith("$$") else data
    for name in path.lstrip("$").split(".")[1:]:
        found = found[name]
    return found


def _filled(pattern: Document, data: Any, context: Document) -> Document:
    filled: Document = {}
    for name, value in pattern.items():
        if name.endswith(".$"):
            filled[name[:-2]] = _at(value, data, context)
        else:
            filled[name] = _filled(value, data, context) if isinstance(value, dict) else value
    return filled


def _put(data: Any, path: str | None, result: Any) -> Any:
    if path is None:
        return data
    names = path.split(".")[1:]
    if not names:
        return result
    return {**data, names[0]: _put(data.get(names[0], {}), ".".join(["$", *names[1:]]), result)}


def _is_there(path: str, data: Any) -> bool:
    for name in path.split(".")[1:]:
        if not isinstance(data, dict) or name not in data:
            return False
        data = data[name]
    return True


def _holds(choice: Document, data: Any) -> bool:
    path = choice["Variable"]
    if "IsPresent" in choice:
        return bool(_is_there(path, data) == choice["IsPresent"])
    for test in ("BooleanEquals", "StringEquals", "NumericEquals"):
        if test in choice:
            return bool(_at(path, data, {}) == choice[test])
    raise ExecutionFailedError(f"a choice that is not known: {sorted(choice)}")
