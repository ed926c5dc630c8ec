"""Counts of an audience: how many customers are matched, and how many of them are excluded or targeted."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, field


class Audience(Struct, frozen=True):
    """How many customers were meant and how many remain: ``matched`` = sum of ``excluded`` + ``targeted`` (truth 9).

    ``segments`` is how many their texts have together, where that is foreseen. ``variants`` has how many get each of
    the variants of what they get, where there are any.
    """

    matched: int = 0
    excluded: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    segments: int | None = None
    variants: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def targeted(self) -> int:
        """How many are to get the message."""
        return self.matched - sum(self.excluded.values())

    def plus(self, other: Audience) -> Audience:
        """The sum of two audiences, which must not overlap."""
        excluded = _added(self.excluded, other.excluded)
        known = [each for each in (self.segments, other.segments) if each is not None]
        return Audience(
            self.matched + other.matched,
            MappingProxyType({r: excluded[r] for r in sorted(excluded)}),
            sum(known) if known else None,
            MappingProxyType(_added(self.variants, other.variants)),
        )


def _added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """The sums, in the order in which the names come first."""
    return {name: one.get(name, 0) + other.get(name, 0) for name in dict.fromkeys((*one, *other))}
