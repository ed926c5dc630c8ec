"""What the use cases of contacts need from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.history import HistoryEntry
from rebound.contacts.domain.replies import FirstReceipt, Reply
from rebound.contacts.domain.suppressions import Suppression
from rebound.kernel.channels import ContactKey
from rebound.kernel.pages import Page
from rebound.platform.ports import PlatformPorts


class AddressReader(Protocol):
    """Reads addresses as people write them."""

    def email(self, text: str) -> str:
        """The address, domain in lower case. Raises ``ValueError`` with a sentence for people when it is none."""

    def country(self, text: str) -> str:
        """The country's two letters (ISO 3166-1 alpha-2). Raises ``ValueError``, with a sentence for people."""

    def phone(self, text: str, country: str, *, mobile: bool = True) -> str:
        """The number in E.164; one without a country code is of ``country``. Raises ``ValueError`` as ``email`` does.

        A *possible* number is enough; whether it works is for the providers to say. A number without a plus is read as
        one of the country, and as one whose plus was lost: the valid reading is meant. Unless ``mobile``, a number may
        have an extension, which is kept as in ``+442079460958 ext. 12``.
        """


class ContactBook(Protocol):
    """The contacts of all businesses."""

    def get_many(self, keys: Iterable[ContactKey], *, consistent: bool = True) -> Mapping[ContactKey, Contact]:
        """A contact for each key, as of now; if not ``consistent``, perhaps as of a moment ago, at half the cost.

        A contact that nobody uses has no customers and no failures, only the consent that is remembered, if any. A
        hashed key gives what is remembered, and an empty contact while somebody uses the address. A read that is not
        consistent is good enough where the decision is taken again later.
        """

    def in_use(self, cursor: str | None, limit: int) -> Page[ContactKey]:
        """Up to ``limit`` contacts of all businesses that somebody uses, in no order; for rare work on all of them."""

    def save(self, contact: Contact) -> None:
        """Write a contact that is still as it was read (``version``). Raises ``ConcurrentChangeError`` otherwise.

        Of a contact that nobody uses, only the consent is kept, under the hash of its address. A contact with a hashed
        key must be remembered already, because the row under the hash shows that nobody uses the address.
        """


class ContactWrites(Protocol):
    """Contacts that are to be written in a transaction of another adapter."""

    @property
    def count(self) -> int:
        """How many rows of the transaction the contacts take."""

    def write(self, writes: Any, /) -> None:
        """Add all contacts to a transaction, each on the condition that it is as it was read."""

    def join_first(self) -> bool:
        """Join those of the contacts that still have rows under a former spelling, by itself; whether there are any."""


class ContactTransactions(Protocol):
    """Lets the owners of other tables write contacts in the same transaction."""

    def rows(self, contacts: Sequence[Contact], /) -> ContactWrites:
        """The contacts as rows for a transaction."""


class ContactHistory(Protocol):
    """What happened to addresses, kept under the hash of each address, and so for longer than the address itself."""

    def record(self, key: ContactKey, entries: Sequence[HistoryEntry]) -> None:
        """Keep entries; one that is kept already stays as it is."""

    def page(self, key: ContactKey, limit: int, cursor: str | None) -> Page[HistoryEntry]:
        """A page of the entries, the latest first (strongly consistent)."""

    def before(self, key: ContactKey, place: str | None, limit: int) -> Sequence[HistoryEntry]:
        """Up to ``limit`` entries before a place (``history.place_of``), the latest first (strongly consistent).

        Without a place, the latest of all. Fewer than ``limit`` only when there are no more.
        """


class SuppressionList(Protocol):
    """SES's account-level suppression list, which all businesses of the deployment share.

    Every call may raise ``NotAnsweredError`` and ``ComeAgainError``, the latter above all because the account may make
    only about one call a second. No call is retried. While the account is in SES's sandbox, nobody may ask for the
    list, and every call raises ``NotOfferedError``.
    """

    def get(self, address: str) -> Suppression | None:
        """The entry of exactly this spelling."""

    def remove(self, address: str) -> None:
        """Remove the entry of exactly this spelling, whatever its reason; it is no error if there is none."""

    def page(self, cursor: str | None) -> Page[Suppression]:
        """Up to 1,000 entries in the provider's own order; a cursor that it no longer knows begins at the start."""


class ContactsPorts(PlatformPorts, Protocol):
    """What the use cases of contacts need from outside."""

    @property
    def addresses(self) -> AddressReader: ...

    @property
    def contacts(self) -> ContactBook: ...

    @property
    def contact_history(self) -> ContactHistory: ...

    @property
    def replies(self) -> ReplyBook: ...

    @property
    def suppressions(self) -> SuppressionList: ...

    def whereabouts(self, number: str, /) -> frozenset[str]:
        """The time zones in which a phone number may be."""

    def report_missed_removal(self, cause: str, /) -> None:
        """Tell the operator, without personal data, why an entry may still be on the provider's suppression list."""


class ReplyBook(Protocol):
    """The texts that people send, each kept in the history of its contact; forgotten after some 400 days."""

    def receive(self, reply_id: str, receipt: FirstReceipt) -> FirstReceipt:
        """Keep ``receipt`` for good if the provider's id is new; returns the receipt that is kept for this id."""

    def add(self, reply: Reply) -> Reply:
        """Keep a reply unless it is kept already; returns the one that is kept."""

    def get(self, key: ContactKey, receipt: FirstReceipt, reply_id: str) -> Reply | None:
        """The reply of a contact (strongly consistent); ``None`` when it is not kept."""

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
        """The replies to a business from ``since`` until before ``until``, the latest first (eventually consistent).

        With ``matching``, only the replies that match. A page may then be short or empty and still have a cursor,
        because the number of replies that are looked at for one answer is limited.
        """

    def find(self, business_id: str, reply_id: str) -> Reply:
        """The reply with the provider's id to a business (strongly consistent). Raises ``NotFoundError``."""

    def waiting(self, business_id: str, limit: int, cursor: str | None) -> Page[Reply]:
        """The replies that somebody must still read, the oldest first (eventually consistent)."""

    def of_contact(self, key: ContactKey) -> Sequence[Reply]:
        """All replies of a contact (strongly consistent)."""

    def replace(self, before: Reply, after: Reply) -> None:
        """Write a reply that is still as it was read. Raises ``ConcurrentChangeError`` otherwise."""

    def forget(self, key: ContactKey) -> None:
        """Remove the number and the words from every reply of a contact; what each reply meant stays."""
