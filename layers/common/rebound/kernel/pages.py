"""Pages of long lists, their cursors, and a stored thing before and after one write."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.kernel.errors import FieldError, InvalidInputError

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable


class Page[T](Struct, frozen=True):
    """Part of a list; ``next_cursor`` continues it and is ``None`` at the end. A cursor is opaque to its holder."""

    items: Sequence[T]
    next_cursor: str | None = None


def first_page[T](found: Iterable[T], limit: int, place: Callable[[T], str]) -> Page[T]:
    """The first ``limit`` items found; if there are more, the cursor continues after the place of the last one."""
    shown = list(islice(found, limit + 1))
    return Page(shown[:limit], write_cursor(place(shown[limit - 1])) if len(shown) > limit else None)


def write_cursor(after: str) -> str:
    """The cursor that continues after a place, such as a sort key."""
    return base64.urlsafe_b64encode(after.encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, places: re.Pattern[str]) -> str | None:
    """The place after which a cursor continues. Raises ``InvalidInputError`` for a cursor that we did not write."""
    if cursor is None:
        return None
    try:
        after = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except ValueError:
        after = ""
    if not places.fullmatch(after):
        raise not_a_cursor()
    return after


def write_bound_cursor(question: str, after: str) -> str:
    """The cursor that continues the answer to one question after a place, and no other's."""
    return base64.urlsafe_b64encode(f"{_digest(question)}{after}".encode()).decode().rstrip("=")


def read_bound_cursor(cursor: str | None, question: str) -> str | None:
    """The place after which a cursor continues.

    Raises ``InvalidInputError`` for one that we did not write for this question.
    """
    if cursor is None:
        return None
    try:
        place = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:
        raise not_a_cursor() from None
    digest = _digest(question)
    if not place.startswith(digest) or place == digest:
        raise not_a_cursor()
    return place.removeprefix(digest)


def _digest(question: str) -> str:
    return sha256(question.encode(errors="surrogatepass")).hexdigest()[:8] + ":"


def not_a_cursor() -> InvalidInputError:
    """The error for a cursor that we did not write."""
    return InvalidInputError(FieldError("cursor", "Must be the next_cursor of an earlier answer."))


class RowChange[T](Struct, frozen=True):
    """A thing before (``None`` when it is new) and after one write at ``at``; ``change_id`` identifies the write."""

    before: T | None
    after: T
    change_id: str
    at: datetime
