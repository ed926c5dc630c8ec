"""Cursors of the fakes: opaque to their holder, and refused when somebody else made them."""

from collections.abc import Sequence
from typing import Final

from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.pages import Page

_OURS: Final = "after:"


def write_cursor(after: str) -> str:
    return f"{_OURS}{after}"


def read_cursor(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    if not cursor.startswith(_OURS) or cursor == _OURS:
        raise InvalidInputError(FieldError("cursor", "Must be the next_cursor of an earlier answer."))
    return cursor.removeprefix(_OURS)


def page_of[T](named: Sequence[tuple[str, T]], limit: int) -> Page[T]:
    """The first ``limit`` of items that come with their names."""
    shown = named[:limit]
    return Page([item for _, item in shown], write_cursor(shown[-1][0]) if len(named) > limit else None)
