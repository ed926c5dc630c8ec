"""Work for a business that takes longer than a request waits: what it is, where it stands, what it found.

counting ──▶ running ──▶ completed        A technical error that does not go away pauses a job where it stands;
   │            │                         resuming goes on there.
   ▼            ▼
refused      paused
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct, field

from rebound.kernel.audiences import Audience


class JobKind(StrEnum):
    """What is to be done."""

    COUNT = "count"
    """Count the customers of a filter."""
    PREVIEW = "preview"
    """Count who would get a message."""
    BULK_DELETE = "bulk_delete"
    """Delete the customers of a filter."""
    RANKING = "ranking"
    """Rank the customers, and count the loyalty tiers."""
    RECURRING = "recurring"
    """Look who is due for a recurring campaign, and send it to them."""
    SEQUENCE = "sequence"
    """Go through all who are in a sequence, or all customers for it (``SequenceWork``)."""
    WAIVER = "waiver"
    """Ask everybody with a coming booking to sign a waiver."""


class JobStatus(StrEnum):
    """Where a job stands."""

    COUNTING = "counting"
    """Looking at customers; nothing is changed."""
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    REFUSED = "refused"
    """The job would have done something other than what was confirmed, and has done nothing."""


ENDED: Final = frozenset({JobStatus.COMPLETED, JobStatus.REFUSED})
STANDING: Final = ENDED | {JobStatus.PAUSED}
"""The statuses in which nobody works on a job."""


class Job(Struct, frozen=True):
    """One piece of work, split into ``ranges`` equal ranges of customer ids that are worked on in parallel.

    ``request`` is what the client asked for, as JSON. A job goes through its phases in order, each over all ranges;
    ``run`` counts how often it was started. ``version`` counts the writes of the stored row, 0 for none yet. ``by`` is
    the email of whoever asked for it; ``None`` for a program. ``about`` is the id of the campaign that it is for,
    if it is for one.
    """

    business_id: str
    job_id: str
    kind: JobKind
    request: Mapping[str, Any]
    ranges: int
    created_at: datetime
    status: JobStatus = JobStatus.COUNTING
    phase: int = 0
    run: int = 1
    reason: str | None = None
    ended_at: datetime | None = None
    version: int = 0
    by: str | None = None
    about: str | None = None


FROZEN: Final = "frozen"


DELETED: Final = "deleted"


SKIPPED: Final = "skipped:"


FAILED: Final = "failed"


LOOKED_AT: Final = "looked_at"


COUNT: Final = "count"


MATCHED: Final = "matched"


EXCLUDED: Final = "excluded:"


OF_VARIANT: Final = "variant:"


def audience_of(counts: Mapping[str, int]) -> Audience:
    """The audience that the counts of a job describe."""
    excluded = {label.removeprefix(EXCLUDED): count for label, count in counts.items() if label.startswith(EXCLUDED)}
    variants = {label.removeprefix(OF_VARIANT): n for label, n in counts.items() if label.startswith(OF_VARIANT)}
    return Audience(counts.get(MATCHED, 0), MappingProxyType(excluded), variants=MappingProxyType(variants))


SPARED_BECAUSE: Final = ("gone", "changed", "no_longer_matches", "busy")
"""Why a clean-up spares a customer."""


class Spared(Struct, frozen=True):
    """A customer whom a job left alone, and why; ``external_id`` as it was then, ``None`` for who was gone."""

    customer_id: str
    reason: str
    external_id: str | None = None


class JobProgress(Struct, frozen=True):
    """How far one range of one phase of a job is: the results for all customers up to the ``cursor``.

    ``spared`` names some of the customers who were left alone; ``counts`` counts all of them.
    """

    job_id: str
    phase: int
    index: int
    cursor: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    spared: tuple[Spared, ...] = ()
    done: bool = False
    version: int = 0


class FrozenCustomer(Struct, frozen=True):
    """A customer on a frozen list, as of the time of ``updated_at``."""

    customer_id: str
    updated_at: datetime


class FrozenPage(Struct, frozen=True):
    """Part ``number`` of the list that a range of a job has frozen; the parts of a range count from 0 without gaps."""

    job_id: str
    index: int
    number: int
    customers: tuple[FrozenCustomer, ...]
