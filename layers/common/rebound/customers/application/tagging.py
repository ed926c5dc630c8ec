"""Tags that customers get, and whose doing it is: the sequences whose steps give them, each because of the last."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Final

from msgspec import Struct

from rebound.kernel.written_text import folded

_GIVERS: Final[ContextVar[tuple[str, ...]]] = ContextVar("givers", default=())


def givers() -> tuple[str, ...]:
    """The sequences, the first of them first; none where somebody gives the tag, or a file."""
    return _GIVERS.get()


@contextmanager
def given_by(sequences: tuple[str, ...]) -> Iterator[None]:
    """While the block runs, these give the tags that customers get."""
    before = _GIVERS.set(sequences)
    try:
        yield
    finally:
        _GIVERS.reset(before)


class TagsGiven(Struct, frozen=True, kw_only=True):
    """Tags that a customer has had since ``at``, of which no two are alike; ``by`` which sequences, if by any.

    ``had`` are those that they had before. No two writes of a customer have the same ``at``.
    """

    business_id: str
    customer_id: str
    tags: tuple[str, ...]
    at: datetime
    had: tuple[str, ...] = ()
    by: tuple[str, ...] = ()


def new_among(tags: Collection[str], had: Collection[str]) -> tuple[str, ...]:
    """Those of some tags that are like none of those of before."""
    known = set(map(folded, had))
    return tuple(tag for tag in tags if folded(tag) not in known)
