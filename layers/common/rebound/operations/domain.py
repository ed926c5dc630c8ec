"""What operators see of messages that were given up."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct


class DeadLetter(Struct, frozen=True):
    """A queue message that was given up.

    ``about`` holds the ids of what it is about, by name, and never anything else of its body, which for receipts is a
    provider's and carries addresses. ``note`` is what the queue itself says about why it is there.
    """

    message_id: str
    sent_at: datetime
    about: Sequence[Mapping[str, str]] = ()
    note: str | None = None


class Redriven(Struct, frozen=True):
    """How many messages went back to their queue, and whether the dead letters are empty now."""

    count: int
    done: bool
