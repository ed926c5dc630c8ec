"""What operators see of messages that were given up."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct


class DeadLetter(Struct, frozen=True):
    """A queue message that was given up.

    ``about`` holds, by name, the ids of what the message is about, and nothing else of its body: the body of a receipt
    is a provider's and carries addresses. ``note`` is the queue's own word on why the message was given up.
    """

    message_id: str
    sent_at: datetime
    about: Sequence[Mapping[str, str]] = ()
    note: str | None = None


class Redriven(Struct, frozen=True):
    """How many messages went back to their queue, and whether the dead letters are empty now."""

    count: int
    done: bool
