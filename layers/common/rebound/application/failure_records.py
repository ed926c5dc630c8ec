"""What is kept of messages that failed, until the operator looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FailedHandling:
    """Why a queue message could not be dealt with, by the last function that tried. No personal data.

    ``reason`` is a sentence of ours, or an error's type and the place where it was raised.
    """

    message_id: str
    reason: str
    first_tried_at: datetime
    failed_at: datetime
    receives: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A queue message that was given up.

    ``about`` holds the ids of what it is about, by name, and never anything else of its body, which for receipts is a
    provider's and carries addresses. ``note`` is what the queue itself says about why it is there.
    """

    message_id: str
    sent_at: datetime
    about: Sequence[Mapping[str, str]] = ()
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Redriven:
    """How many messages went back to their queue, and whether the dead letters are empty now."""

    count: int
    done: bool
