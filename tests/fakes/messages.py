"""The message log in memory, with the conditions and the change stream of the table."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import replace
from datetime import datetime

from rebound.kernel.channels import ContactKey
from rebound.kernel.pages import Page
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.message_records import Delivery
from rebound.messages.domain.messages import RANKS, Message, MessageStatus
from tests.fakes.cursors import page_of, read_cursor
from tests.fakes.streams import ChangeStream


class MemoryMessageLog:
    """Implements ``MessageLog``; ``behind`` says whether what is read next, and not of now, misses its last write."""

    def __init__(self, shards: int = 1, behind: Callable[[], bool] = lambda: False) -> None:
        self.rows: dict[MessageKey, Message] = {}
        self._earlier: dict[MessageKey, Message | None] = {}
        self._behind = behind
        self.stream: ChangeStream[Message] = ChangeStream(shards)
        self._pointers: dict[tuple[Provider, str], MessageKey] = {}

    def get_many(self, keys: Sequence[MessageKey], *, consistent: bool = True) -> Mapping[MessageKey, Message]:
        found = {
            key: self._earlier.get(key) if not consistent and self._behind() else self.rows.get(key) for key in keys
        }
        return {key: message for key, message in found.items() if message is not None}

    def record_new(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self._write(message)

    def record(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self._raise_to(message)

    def claim(self, message: Message) -> bool:
        return self._raise_to(replace(message, status=MessageStatus.SENDING))

    def release(self, key: MessageKey) -> None:
        stored = self.rows.get(key)
        if stored is not None and stored.status is MessageStatus.SENDING:
            self._write(replace(stored, status=MessageStatus.QUEUED))

    def advance(self, changes: Sequence[tuple[Message, Message]]) -> Sequence[MessageKey]:
        changed = []
        for before, after in changes:
            stored = self.rows.get(after.key)
            if stored is None or _what_receipts_change(stored) != _what_receipts_change(before):
                changed.append(after.key)
            else:
                self._write(after)
        return changed

    def page(self, business_id: str, customer_id: str, limit: int, cursor: str | None) -> Page[Message]:
        own = self._before(business_id, customer_id, read_cursor(cursor))
        return page_of([(message.key.message_id, message) for message in own], limit)

    def before(self, business_id: str, customer_id: str, message_id: str | None, limit: int) -> Sequence[Message]:
        return self._before(business_id, customer_id, message_id)[:limit]

    def _before(self, business_id: str, customer_id: str, message_id: str | None) -> list[Message]:
        own = [
            message
            for key, message in self.rows.items()
            if (key.business_id, key.customer_id) == (business_id, customer_id)
            and (message_id is None or key.message_id < message_id)
        ]
        return sorted(own, key=lambda message: message.key.message_id, reverse=True)

    def deliveries(self, key: ContactKey, customer_ids: Iterable[str], after: datetime) -> Sequence[Delivery]:
        wanted = set(customer_ids)
        return [
            Delivery(row.message_id, message.delivered_at)
            for row, message in self.rows.items()
            if row.business_id == key.business_id
            and row.customer_id in wanted
            and (message.channel, message.address) == (key.channel, key.address)
            and message.delivered_at is not None
            and message.delivered_at > after
        ]

    def remember_provider_id(self, provider: Provider, provider_id: str, key: MessageKey) -> None:
        self._pointers[provider, provider_id] = key

    def find_by_provider_id(self, provider: Provider, provider_id: str) -> MessageKey | None:
        return self._pointers.get((provider, provider_id))

    def _raise_to(self, message: Message) -> bool:
        stored = self.rows.get(message.key)
        if stored is not None and RANKS[stored.status] >= RANKS[message.status]:
            return False
        self._write(message)
        return True

    def _write(self, message: Message) -> None:
        self._earlier[message.key] = self.rows.get(message.key)
        self.stream.record(str(message.key), self._earlier[message.key], message)
        self.rows[message.key] = message


def _what_receipts_change(message: Message) -> tuple[object, ...]:
    return (message.rank, message.delivered_at, message.failed_at, message.provider_id)
