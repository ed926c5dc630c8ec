"""Contacts, their history, replies and suppressions in memory, and addresses read without libraries."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import replace
from datetime import datetime
from functools import cached_property
from typing import Final

from rebound.contacts.application import SuppressionListClient
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.history import HistoryEntry, place_of
from rebound.contacts.domain.replies import FirstReceipt, Reply
from rebound.contacts.domain.suppressions import Suppression, SuppressionReason
from rebound.kernel.channels import ContactKey
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError, NotOfferedError, ReboundError
from rebound.kernel.pages import Page
from tests.contract.platform.fakes import FakeClock, MemoryPlatformPorts
from tests.fakes.cursors import page_of, read_cursor
from tests.fakes.making import NOON
from tests.fakes.streams import ChangeStream

_COUNTRY_CODES: Final = {"US": "1", "PT": "351", "GB": "44", "DE": "49"}
PLACES: Final[Mapping[str, frozenset[str]]] = {
    "+1212": frozenset({"America/New_York"}),
    "+1312": frozenset({"America/Chicago"}),
    "+1415": frozenset({"America/Los_Angeles"}),
    "+1808": frozenset({"Pacific/Honolulu"}),
    "+1907": frozenset({"America/Adak", "America/Juneau"}),
    "+33": frozenset({"Europe/Paris"}),
    "+44": frozenset({"Europe/London"}),
}


def known_whereabouts(number: str) -> frozenset[str]:
    """Implements ``Whereabouts`` for a few prefixes."""
    return next((zones for prefix, zones in PLACES.items() if number.startswith(prefix)), frozenset())


class PlainAddressReader:
    """Implements ``AddressReader`` for plain addresses and the numbers of four countries."""

    def email(self, text: str) -> str:
        if not re.fullmatch(r"[\x21-\x7e]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", text.strip()) or ".." in text:
            raise ValueError("Must be an email address, such as ana@example.com.")
        local, _, domain = text.strip().rpartition("@")
        if "@" in local:
            raise ValueError("Must be an email address, such as ana@example.com.")
        return f"{local}@{domain.lower()}"

    def country(self, text: str) -> str:
        if text.strip().upper() not in _COUNTRY_CODES:
            raise ValueError("Must be a country as two letters, such as US.")
        return text.strip().upper()

    def phone(self, text: str, country: str, *, mobile: bool = True) -> str:
        digits = re.sub(r"[ ().-]", "", text.strip())
        if not re.fullmatch(r"\+?[0-9]{7,15}", digits):
            raise ValueError("Must be a phone number, such as +14155550123.")
        if digits.startswith("+"):
            return digits
        if country not in _COUNTRY_CODES:
            raise ValueError("Must be a possible phone number: check the country code and the number of digits.")
        return f"+{_COUNTRY_CODES[country]}{digits.lstrip('0')}"


MAX_TRANSACTION: Final = 100


def rows_of(contact: Contact) -> int:
    """How many rows of a transaction a contact takes."""
    if contact.is_used:
        return 1 if contact.version else 2
    return bool(contact.version or contact.consent.scopes) + bool(contact.consent.scopes)


class MemoryContactBook:
    """Implements ``ContactBook``."""

    def __init__(self) -> None:
        self.rows: dict[ContactKey, Contact] = {}
        self.hashed: dict[ContactKey, Contact] = {}
        """What is kept of addresses that nobody uses, by their hashed keys."""
        self.leading: dict[ContactKey, ContactKey] = {}
        """From the hash of a former spelling to the one of today's, once something was kept of it."""
        self.stream: ChangeStream[Contact] = ChangeStream()
        self.writes = 0
        self._versions: Counter[ContactKey] = Counter()

    def get_many(self, keys: Iterable[ContactKey], *, consistent: bool = True) -> Mapping[ContactKey, Contact]:
        return {key: self._get(key) for key in keys}

    def in_use(self, cursor: str | None, limit: int) -> Page[ContactKey]:
        known = sorted((str(key), key) for key in self.rows)
        after = read_cursor(cursor)
        return page_of([(place, key) for place, key in known if after is None or place > after], limit)

    def save(self, contact: Contact) -> None:
        if rows_of(contact):
            self.check(contact)
            self.write(contact)

    def check(self, contact: Contact) -> None:
        """Raise if what is stored is not as it was read."""
        stored = self._get(contact.key)
        if (stored.version, stored.remembered) != (contact.version, contact.remembered):
            raise ConcurrentChangeError

    def write(self, contact: Contact) -> None:
        """Write without looking."""
        if not rows_of(contact):
            return
        before = self.rows.pop(contact.key, None)
        kept_before = self.hashed.pop(contact.key.hashed, None)
        if contact.is_used:
            after = replace(contact, version=self._next_version(contact.key), remembered=0)
            self.rows[contact.key] = after
            self.writes += 1
            self.stream.record(str(contact.key), before, after)
            return
        if before is not None:
            self.stream.record(str(contact.key), before, Contact(contact.key))
        if contact.consent.scopes:
            hashed = contact.key.hashed
            kept = Contact(hashed, consent=contact.consent, version=self._next_version(hashed))
            self.hashed[hashed] = kept
            if contact.key.former is not None:
                self.leading[contact.key.former.hashed] = hashed
            self.stream.record(str(hashed), kept_before, kept)

    def _get(self, key: ContactKey) -> Contact:
        if key in self.rows:
            return self.rows[key]
        if key in self.leading:
            key = self.leading[key]
        kept = self.hashed.get(key.hashed)
        return Contact(key) if kept is None else Contact(key, consent=kept.consent, remembered=kept.version)

    def _next_version(self, key: ContactKey) -> int:
        self._versions[key] += 1
        return self._versions[key]


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


class MemorySuppressionList:
    """Implements ``SuppressionList``; counts the calls, and answers the next ones with ``troubles`` first."""

    def __init__(self, *entries: Suppression, page_size: int = 1000) -> None:
        self.entries = {entry.address: entry for entry in entries}
        self.calls: Counter[str] = Counter()
        self.troubles: list[ReboundError] = []
        self.missed: list[str] = []
        """Why entries could not be removed, as the operator is told."""
        self.page_size = page_size
        self.production_access = True
        """Whether the account is out of the sandbox, where nobody may ask."""

    def put(self, address: str, reason: str = "BOUNCE", at: datetime = NOON) -> Suppression:
        """What happens at the provider: an entry appears, or takes the place of the one of this spelling."""
        self.entries[address] = Suppression(address, SuppressionReason(reason), at)
        return self.entries[address]

    def get(self, address: str) -> Suppression | None:
        self._called("get")
        return self.entries.get(address)

    def remove(self, address: str) -> None:
        self._called("remove")
        self.entries.pop(address, None)

    def page(self, cursor: str | None) -> Page[Suppression]:
        self._called("page")
        after = read_cursor(cursor) or ""
        return page_of([(a, entry) for a, entry in sorted(self.entries.items()) if a > after], self.page_size)

    def _called(self, name: str) -> None:
        self.calls[name] += 1
        if self.troubles:
            raise self.troubles.pop(0)
        if not self.production_access:
            raise NotOfferedError("sandbox")


def client_of(suppressions: MemorySuppressionList | None = None) -> SuppressionListClient:
    """A desk with a clock of its own, which moves when the desk waits."""
    return SuppressionListClient(
        suppressions=suppressions or MemorySuppressionList(), clock=FakeClock(), missed=lambda _: None
    )


class MemoryContactsPorts(MemoryPlatformPorts):
    """Implements ``ContactsPorts``."""

    @cached_property
    def addresses(self) -> PlainAddressReader:
        return PlainAddressReader()

    @cached_property
    def contacts(self) -> MemoryContactBook:
        return MemoryContactBook()

    @cached_property
    def contact_history(self) -> MemoryContactHistory:
        return MemoryContactHistory()

    @cached_property
    def replies(self) -> MemoryReplyBook:
        return MemoryReplyBook(self.contact_history)

    @cached_property
    def suppressions(self) -> MemorySuppressionList:
        return MemorySuppressionList()

    @staticmethod
    def whereabouts(number: str, /) -> frozenset[str]:
        return known_whereabouts(number)

    def report_missed_removal(self, cause: str, /) -> None:
        self.suppressions.missed.append(cause)
