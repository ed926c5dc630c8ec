"""What is kept of a job while it runs."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field


class Spared(Struct, frozen=True):
    """A customer whom a job left alone, and why."""

    customer_id: str
    reason: str


class JobProgress(Struct, frozen=True):
    """How far one range of one phase of a job is: what everybody up to the ``cursor`` came to.

    ``spared`` names some of those who were left alone; ``counts`` has all of them.
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
