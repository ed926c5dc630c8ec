"""The message log, appointments and the keys of links in memory."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from rebound.businesses.domain.business import Business
from rebound.kernel.channels import ContactKey
from rebound.kernel.errors import ConcurrentChangeError
from rebound.kernel.ids import behind_all_of
from rebound.kernel.pages import Page
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.appointments import AppointmentEntry, AppointmentTime, Asked, MessagePosted
from rebound.messages.domain.labels import labels_of
from rebound.messages.domain.links import LinkKeys, ShortLink
from rebound.messages.domain.messages import Delivery, Message, MessageStatus, StatusChange
from rebound.messages.domain.spans import WHEN, span_of
from tests.contract.templates.fakes import MemoryTemplatesPorts
from tests.contract.text_plans.fakes import MemoryTextPlansPorts
from tests.fakes.cursors import page_of, read_cursor
from tests.fakes.streams import ChangeStream


class MemoryAppointmentBook:
    """Implements ``AppointmentBook``."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], dict[str, AppointmentEntry]] = {}
        self.times: dict[tuple[str, str], AppointmentTime] = {}
        self._asked: dict[ContactKey, dict[str, Asked]] = {}

    def record(self, business_id: str, appointment_id: str, entry: AppointmentEntry) -> None:
        kind = "told" if isinstance(entry, MessagePosted) else "answered"
        name = f"{entry.at.isoformat(timespec='microseconds')}#{kind}#{entry.entry_id}"
        self.rows.setdefault((business_id, appointment_id), {})[name] = entry

    def page(self, business_id: str, appointment_id: str, limit: int, cursor: str | None) -> Page[AppointmentEntry]:
        before = read_cursor(cursor)
        kept = sorted(self.rows.get((business_id, appointment_id), {}).items(), reverse=True)
        return page_of([(name, entry) for name, entry in kept if before is None or name < before], limit)

    def move(self, business_id: str, appointment_id: str, starts_at: datetime) -> AppointmentTime:
        known = self.times.get((business_id, appointment_id))
        time = AppointmentTime(starts_at, 1 if known is None else known.version + 1)
        self.times[business_id, appointment_id] = time
        return time

    def time(self, business_id: str, appointment_id: str) -> AppointmentTime | None:
        return self.times.get((business_id, appointment_id))

    def ask(self, key: ContactKey, asked: Asked, sent_at: datetime | None = None) -> None:
        self._asked.setdefault(key.hashed, {})[asked.entry_id] = asked

    def asked(self, key: ContactKey) -> Sequence[Asked]:
        return sorted(self._asked.get(key.hashed, {}).values(), key=lambda one: (one.at, one.entry_id), reverse=True)

    def close(self, key: ContactKey, asked: Sequence[Asked]) -> None:
        for one in asked:
            self._asked.get(key.hashed, {}).pop(one.entry_id, None)


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
        stored = self.rows.get(message.key)
        if stored is not None and stored.fell_back is not None:
            return False
        return self._raise_to(replace(message, status=MessageStatus.SENDING))

    def fall_back(self, message: Message) -> bool:
        stored = self.rows.get(message.key)
        if stored is not None and (
            stored.status is not MessageStatus.QUEUED or stored.fell_back not in (None, message.fell_back)
        ):
            return False
        self._write(message)
        return True

    def release(self, key: MessageKey) -> None:
        stored = self.rows.get(key)
        if stored is not None and stored.status is MessageStatus.SENDING:
            self._write(replace(stored, status=MessageStatus.QUEUED))

    def opt_out(self, key: MessageKey, at: datetime) -> None:
        stored = self.rows.get(key)
        if stored is not None and stored.variant is not None and stored.opted_out_at is None:
            self._write(replace(stored, opted_out_at=at))

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

    def forget(self, key: ContactKey, customer_id: str, sealed: str) -> None:
        for stored in self._before(key.business_id, customer_id, None):
            if stored.contact == key:
                self._write(replace(stored, address=key.hashed.address, sealed=sealed))

    def with_goals(self, business_id: str, customer_id: str, since: datetime) -> Sequence[Message]:
        own = self._before(business_id, customer_id, None)
        return [each for each in own if each.goal is not None and each.key.message_id > behind_all_of(since)]

    def reach(self, message: Message, at: datetime | None) -> None:
        stored = self.rows.get(message.key)
        if stored is None or stored.goal is None or stored.reached_at != message.reached_at:
            raise ConcurrentChangeError
        self._write(replace(stored, reached_at=at))

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
        if stored is not None and stored.rank >= message.rank:
            return False
        self._write(message)
        return True

    def _write(self, message: Message) -> None:
        self._earlier[message.key] = self.rows.get(message.key)
        self.stream.record(str(message.key), self._earlier[message.key], message)
        self.rows[message.key] = message


def _what_receipts_change(message: Message) -> tuple[object, ...]:
    times = message.delivered_at, message.failed_at, message.opted_out_at, message.reached_at
    return (message.rank, *times, message.provider_id, message.address)


class MemoryShortLinks:
    """Implements ``ShortLinkBook``."""

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}

    def keep(self, link: ShortLink) -> None:
        self.rows[link.code] = link.token

    def token_of(self, code: str) -> str | None:
        return self.rows.get(code)


FIRST_KEY = b"the first key of the tests"


class MemoryLinkKeyring:
    """Implements ``LinkKeyring``; a rotation is seen at once."""

    def __init__(self, current: int = 1, keys: Mapping[int, bytes] | None = None) -> None:
        self.stored = LinkKeys(current, dict(keys or {1: FIRST_KEY}))

    def keys(self, needed: int | None = None) -> LinkKeys:
        return self.stored

    def rotate(self, current: int, key: bytes) -> None:
        """Sign with another key from now on."""
        self.stored = LinkKeys(current, {**self.stored.keys, current: key})


def status_changes(changes: Iterable[Any]) -> deque[StatusChange]:
    """What the stream of the message log says to who counts."""
    found: deque[StatusChange] = deque()
    for change in changes:
        after: Message = change.after
        if after.campaign_id is not None:
            before = labels_of_message(change.before) if change.before is not None else frozenset()
            found.append(
                StatusChange(
                    str(change.position),
                    after.key.business_id,
                    after.campaign_id,
                    before,
                    labels_of_message(after),
                )
            )
    return found


def labels_of_message(message: "Message") -> frozenset[str]:
    """What a message counts as."""
    times = (getattr(message, name) for name in WHEN.get(message.status, ()))
    since = next(filter(None, times), None)
    return labels_of(
        message.status,
        reason=message.reason,
        provider=message.provider,
        code=message.provider_code,
        window=message.window,
        fell_back=message.fell_back is not None,
        reached=message.reached_at is not None,
        span=span_of(since, message.key.message_id) if message.status in WHEN else None,
        variant=message.variant,
        opted_out=message.opted_out_at is not None,
    )


PUBLIC_URL: Final = "https://rebound.example.com/live"


class MemoryMessagesPorts(MemoryTemplatesPorts, MemoryTextPlansPorts):
    """Implements ``MessagesPorts``."""

    public_url = PUBLIC_URL

    def __init__(self, *given: Business, shards: int = 3, **more: Any) -> None:
        super().__init__(*given, **more)
        self._shards = shards

    @cached_property
    def messages(self) -> MemoryMessageLog:
        return MemoryMessageLog(self._shards)

    @cached_property
    def appointments(self) -> MemoryAppointmentBook:
        return MemoryAppointmentBook()

    @cached_property
    def short_links(self) -> MemoryShortLinks:
        return MemoryShortLinks()

    @cached_property
    def link_keyring(self) -> MemoryLinkKeyring:
        return MemoryLinkKeyring()
