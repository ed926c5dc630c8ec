"""Long lists, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct


class Page[T](Struct, frozen=True):
    """Part of a list; ``next_cursor`` continues it and is ``None`` at the end. A cursor is opaque to its holder."""

    items: Sequence[T]
    next_cursor: str | None = None
