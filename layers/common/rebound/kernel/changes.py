"""One write to a row, as its change stream tells of it."""

from datetime import datetime

from msgspec import Struct


class RowChange[T](Struct, frozen=True):
    """A thing before (``None`` when it is new) and after one write at ``at``; ``change_id`` is the write's own."""

    before: T | None
    after: T
    change_id: str
    at: datetime
