"""The history of addresses in memory, and the replies in it."""

from collections.abc import Callable, Sequence
from datetime import datetime

from rebound.contacts.domain.history import HistoryEntry, place_of
from rebound.contacts.domain.replies import Reply
from rebound.contacts.domain.reply_records import FirstReceipt
from rebound.kernel.channels import ContactKey
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.kernel.pages import Page
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


class MemoryReplyBook:
    """Implements ``ReplyBook``; shares its rows with a history."""

    def __init__(self, history: MemoryContactHistory) -> None:
        self._rows = history.rows
        self._received: dict[str, FirstReceipt] = {}

    def receive(self, reply_id: str, receipt: FirstReceipt) -> FirstReceipt:
        return self._received.setdefault(reply_id, receipt)

    def add(self, reply: Reply) -> Reply:
        kept = self._rows.setdefault(reply.key, {}).setdefault(place_of(reply), reply)
        assert isinstance(kept, Reply)
        return kept

    def get(self, key: ContactKey, receipt: FirstReceipt, reply_id: str) -> Reply | None:
        return next((reply for reply in self._of(key) if (reply.at, reply.reply_id) == (receipt.at, reply_id)), None)

    def page(
        self,
        business_id: str,
        limit: int,
        cursor: str | None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        matching: Callable[[Reply], bool] | None = None,
    ) -> Page[Reply]:
        before = read_cursor(cursor)
        wanted = {
            f"{place_of(reply)}#{key}": reply
            for key in self._rows
            for reply in self._of(key)
            if key.business_id == business_id
            and (since is None or reply.at >= since)
            and (until is None or reply.at < until)
            and (matching is None or matching(reply))
        }
        return page_of(
            [(name, reply) for name, reply in sorted(wanted.items(), reverse=True) if before is None or name < before],
            limit,
        )

    def find(self, business_id: str, reply_id: str) -> Reply:
        for key in self._received[reply_id].keys if reply_id in self._received else ():
            for reply in self._of(key):
                if key.business_id == business_id and reply.reply_id == reply_id:
                    return reply
        raise NotFoundError("reply")

    def waiting(self, business_id: str, limit: int, cursor: str | None) -> Page[Reply]:
        after = read_cursor(cursor)
        waiting = sorted(
            (f"{place_of(reply)}#{key}", reply)
            for key in self._rows
            for reply in self._of(key)
            if key.business_id == business_id and reply.is_waiting
        )
        return page_of([(name, reply) for name, reply in waiting if after is None or name > after], limit)

    def of_contact(self, key: ContactKey) -> Sequence[Reply]:
        return self._of(key)

    def replace(self, before: Reply, after: Reply) -> None:
        rows = self._rows.get(after.key, {})
        if rows.get(place_of(after)) != before:
            raise ConcurrentChangeError
        rows[place_of(after)] = after

    def forget(self, key: ContactKey) -> None:
        for reply in self._of(key):
            self._rows[key.hashed][place_of(reply)] = reply.forgotten()

    def _of(self, key: ContactKey) -> list[Reply]:
        return [entry for entry in self._rows.get(key.hashed, {}).values() if isinstance(entry, Reply)]


def history_and_replies() -> tuple[MemoryContactHistory, MemoryReplyBook]:
    """Both over the same rows."""
    history = MemoryContactHistory()
    return history, MemoryReplyBook(history)
