"""Timers: what is to be woken, and when.

A timer only wakes. Whoever is woken looks at what is stored, and decides anew; so a timer that comes twice, or that has
been overtaken, does nothing.
"""

from datetime import datetime, timedelta
from typing import Final
from zlib import crc32

from msgspec import Struct

SHARDS: Final = 8
"""In how many parts the table is kept: a part takes 1,000 writes a second. More of them would cost more while idle."""
AHEAD: Final = timedelta(minutes=2)
"""How long before its time a timer is taken; twice as long as from one sweep to the next."""
LATE: Final = timedelta(minutes=1)
"""A timer that is taken so long after its time is counted as late."""


class Timer(Struct, frozen=True, order=True):
    """Wake ``key``, which is the kind's own name for what is due, at ``due_at``.

    ``kind`` says who is woken (``TimersUseCases.wakers``). Two of the same time, kind and key are one.
    """

    due_at: datetime
    kind: str
    key: str

    @property
    def shard(self) -> int:
        """The part of the table that it is in, the same wherever it is worked out."""
        return crc32(f"{self.kind}#{self.key}".encode()) % SHARDS
