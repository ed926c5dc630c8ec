"""How many are meant by something that is sent, and how many of them get it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, field


class Audience(Struct, frozen=True):
    """Who was meant and who is left: ``matched`` = sum of ``excluded`` + ``targeted`` (truth 9)."""

    matched: int = 0
    excluded: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def targeted(self) -> int:
        """How many are to get the message."""
        return self.matched - sum(self.excluded.values())

    def plus(self, other: Audience) -> Audience:
        """Both audiences together, which must not overlap."""
        reasons = sorted({*self.excluded, *other.excluded})
        return Audience(
            self.matched + other.matched,
            MappingProxyType({r: self.excluded.get(r, 0) + other.excluded.get(r, 0) for r in reasons}),
        )
