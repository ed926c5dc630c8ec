"""What versions say, as a process has read it: a version never changes, and is named by what no other sequence has."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rebound.sequences.domain.sequences import Definition

MOST: Final = 20
"""Versions that a process remembers, those that were asked for last; each has at most 350 KB."""
type Name = tuple[str, str, int]
"""The business, the sequence's ``uid`` and the number of the version."""


class KnownVersions:
    """The versions that were read or written here."""

    def __init__(self) -> None:
        self._known: OrderedDict[Name, Definition] = OrderedDict()

    def find(self, name: Name) -> Definition | None:
        """What one says; ``None`` where it is not remembered."""
        found = self._known.pop(name, None)
        if found is not None:
            self._known[name] = found
        return found

    def forget(self, name: Name) -> None:
        """Drop one that is not stored any more; other processes may know it for longer, and nobody asks them for it."""
        self._known.pop(name, None)

    def remember(self, name: Name, definition: Definition) -> None:
        """Keep one that is stored."""
        self._known[name] = definition
        while len(self._known) > MOST:
            self._known.popitem(last=False)
