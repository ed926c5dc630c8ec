"""What people fill in for a condition of a filter: how each is shown in a form, and read from one."""

import re
from collections.abc import Mapping
from enum import StrEnum, auto
from typing import Any, Final

from msgspec import Struct

_NUMBER: Final = re.compile("[0-9]{1,18}")
"""Larger than any number that a condition takes."""


class InputKind(StrEnum):
    """How a value is typed."""

    TEXT = auto()
    NUMBER = auto()
    CHOICE = auto()
    YES_NO = auto()
    NAMES = auto()
    """One a line; all must hold."""


class LeafInput(Struct, frozen=True):
    """A value of a condition; without a ``name`` it is the whole condition.

    One that is left empty is left out, unless it is ``needed``: then what is wrong is said by who reads the condition.
    """

    name: str = ""
    kind: InputKind = InputKind.TEXT
    choices: tuple[str, ...] = ()
    needed: bool = False

    def read(self, typed: str) -> Any:
        """The value in JSON of what was typed; a number that is none stays text, of which it is said so."""
        if self.kind is InputKind.YES_NO:
            return typed == "true"
        if self.kind is InputKind.NUMBER:
            return int(typed) if _NUMBER.fullmatch(typed) else typed
        if self.kind is InputKind.NAMES:
            names = [line.strip() for line in typed.splitlines() if line.strip()]
            return names[0] if len(names) == 1 else names
        return typed

    def written(self, value: Any) -> str:
        """A value in JSON as it is typed."""
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        return "\n".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def read_inputs(inputs: tuple[LeafInput, ...], typed: Mapping[str, str]) -> Any:
    """The value of a condition in JSON."""
    if inputs[0].name == "":
        return inputs[0].read(typed.get("", ""))
    return {
        each.name: each.read(typed.get(each.name, "")) for each in inputs if each.needed or typed.get(each.name, "")
    }
