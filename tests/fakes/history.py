"""The history of addresses in memory."""

from collections.abc import Sequence

from rebound.application.ports import Page
from rebound.domain.channels import ContactKey
from rebound.domain.history import HistoryEntry
from tests.fakes.cursors import page_of, read_cursor


class MemoryContactHistory:
    """Implements ``ContactHistory``."""

    def __init__(self) -> None:
        self.rows: dict[ContactKey, dict[str, HistoryEntry]] = {}

    def record(self, key: ContactKey, entries: Sequence[HistoryEntry]) -> None:
        kept = self.rows.setdefault(key.hashed, {})
        for entry in entries:
            kept.setdefault(f"{entry.at.isoformat(timespec='microseconds')}#{entry.entry_id}", entry)

    def page(self, key: ContactKey, limit: int, cursor: str | None) -> Page[HistoryEntry]:
        before = read_cursor(cursor)
        kept = sorted(self.rows.get(key.hashed, {}).items(), reverse=True)
        return page_of([(name, entry) for name, entry in kept if before is None or name < before], limit)
