"""The history of addresses in memory."""

from collections.abc import Sequence

from rebound.application.ports import Page
from rebound.domain.channels import ContactKey
from rebound.domain.history import HistoryEntry, place_of
from tests.fakes.cursors import page_of, read_cursor


class MemoryContactHistory:
    """Implements ``ContactHistory``."""

    def __init__(self) -> None:
        self.rows: dict[ContactKey, dict[str, HistoryEntry]] = {}

    def record(self, key: ContactKey, entries: Sequence[HistoryEntry]) -> None:
        kept = self.rows.setdefault(key.hashed, {})
        for entry in entries:
            kept.setdefault(place_of(entry), entry)

    def page(self, key: ContactKey, limit: int, cursor: str | None) -> Page[HistoryEntry]:
        return page_of(self._before(key, read_cursor(cursor)), limit)

    def before(self, key: ContactKey, place: str | None, limit: int) -> Sequence[HistoryEntry]:
        return [entry for _, entry in self._before(key, place)[:limit]]

    def _before(self, key: ContactKey, place: str | None) -> Sequence[tuple[str, HistoryEntry]]:
        kept = sorted(self.rows.get(key.hashed, {}).items(), reverse=True)
        return [(name, entry) for name, entry in kept if place is None or name < place]
