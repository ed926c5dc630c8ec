"""What the queue of sequences carries: who is due, what happened with whom, who is new, by ids alone (truth 12)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from itertools import batched, groupby
from typing import Final

from msgspec import Struct

from rebound.campaigns.domain.chunks import CHUNK_SIZE
from rebound.sequences.domain.enrolments import EnrolmentKey
from rebound.sequences.domain.happenings import Happened  # noqa: TC001 - msgspec reads the annotations
from rebound.timers.domain import Timer

SEQUENCE: Final = "sequence"
"""The kind of the timer that has somebody go on."""
TOGETHER: Final = CHUNK_SIZE
"""How many go on together at most, so that what is sent to them is one chunk."""


TOLD_TOGETHER: Final = 10
"""How many happenings one message has at most."""


class StepTask(Struct, frozen=True):
    """Customers who are due in one sequence.

    ``batch`` names the task, and nothing else has its name: what a worker has begun, the task finds again by it when it
    comes once more. It is for who is due ``at`` a time or before: who begins again later has a task of their own, also
    where this one comes twice.
    """

    business_id: str
    sequence_id: str
    customer_ids: tuple[str, ...]
    batch: str
    at: datetime

    @property
    def keys(self) -> Sequence[EnrolmentKey]:
        """The enrolments."""
        return [EnrolmentKey(self.business_id, each, self.sequence_id) for each in self.customer_ids]


class Told(Struct, frozen=True):
    """What happened with a customer; of a tag also the names of those which they ``had`` before (``tag_name``)."""

    customer_id: str
    happened: Happened
    had: tuple[str, ...] = ()


class HearTask(Struct, frozen=True):
    """What happened with customers of a business, for its sequences to hear."""

    business_id: str
    told: tuple[Told, ...]


class Came(Struct, frozen=True):
    """A customer who is new since ``at`` (``created_at``); of the same id may have been others, who are deleted."""

    customer_id: str
    at: datetime


class NewcomersTask(Struct, frozen=True):
    """Customers of a business who are new and have a log, for its sequences to hear what it says."""

    business_id: str
    came: tuple[Came, ...]


type QueuedTask = StepTask | HearTask | NewcomersTask
"""What the queue of sequences carries."""


def task_of(business_id: str, sequence_id: str, customer_ids: Iterable[str], at: datetime, why: str) -> StepTask:
    """The task for customers who are due at a time: the same however often it is made."""
    ids = tuple(sorted(set(customer_ids)))
    named = "#".join((business_id, sequence_id, why, at.isoformat(), *ids))
    return StepTask(business_id, sequence_id, ids, sha256(named.encode()).hexdigest()[:24], at)


def timer_of(key: EnrolmentKey, wake_at: datetime) -> Timer:
    """The timer that wakes an enrolment."""
    return Timer(wake_at, SEQUENCE, f"{key.business_id}#{key.sequence_id}#{key.customer_id}")


def tasks_of(timers: Sequence[Timer]) -> Iterator[tuple[datetime, StepTask]]:
    """The tasks of timers that have come due, each with when the last of its timers is."""
    keyed = sorted((timer.key.rsplit("#", 2), timer.due_at) for timer in timers)
    for (business_id, sequence_id), same in groupby(keyed, key=lambda each: (each[0][0], each[0][1])):
        # By time, so that nobody waits for somebody who is due a minute later.
        by_time = sorted(same, key=lambda each: each[1])
        for some in batched(by_time, TOGETHER, strict=False):
            latest = some[-1][1]
            yield latest, task_of(business_id, sequence_id, (key[2] for key, _ in some), latest, "due")
