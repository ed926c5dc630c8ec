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
        """The country's two letters (ISO 3166-1 alpha-2). Raises ``ValueError`` likewise."""

    def phone(self, text: str, country: str) -> str:
        """The number in E.164, read in ``country`` when it has no country code. Raises ``ValueError`` likewise.

        A *possible* number is enough; whether it works is for the providers to say.
        """


class ContactBook(Protocol):
    """The contacts of all businesses."""

    def get_many(self, keys: Iterable[ContactKey], *, consistent: bool = True) -> Mapping[ContactKey, Contact]:
        """The contacts as of now.

        One that nobody uses comes without customers and failures, with what is remembered of its consent, if anything.
        By a hashed key comes what is remembered, and nothing while somebody uses the address.
        Those of a moment ago are good enough, and cost half, where a decision will be taken again.
        """

    def save(self, contact: Contact) -> None:
        """Write a contact that is still as it was read (``version``). Raises ``ConcurrentChangeError`` otherwise.

        Of one that nobody uses only the consent is kept, under the hash of its address. One with a hashed key must be
        remembered already: that is what says that nobody uses the address.
        """


class ContactWrites(Protocol):
    """Contacts on their way into a transaction of somebody else's."""

    @property
    def count(self) -> int:
        """How many rows of the transaction they take."""

    def write(self, writes: Any, /) -> None:
        """Add all of them, each on the condition that it is as it was read."""


class ContactTransactions(Protocol):
    """Lets the owners of other tables write contacts in the same transaction."""

    def rows(self, contacts: Sequence[Contact], /) -> ContactWrites:
        """The contacts as rows."""


class ContactHistory(Protocol):
    """What happened to addresses, kept under their hash, so that it outlives the address itself."""

    def record(self, key: ContactKey, entries: Sequence[HistoryEntry]) -> None:
        """Keep entries; one that is kept already stays as it is."""

    def page(self, key: ContactKey, limit: int, cursor: str | None) -> Page[HistoryEntry]:
        """The latest first (strongly consistent)."""

    def before(self, key: ContactKey, place: str | None, limit: int) -> Sequence[HistoryEntry]:
        """Up to ``limit`` before a place (``history.place_of``), or of all, the latest first (strongly consistent).

        Fewer only when there are no more.
        """


class SuppressionList(Protocol):
    """SES's suppression list of the account, which all businesses of the deployment share.

    Every call may raise ``ComeAgainError``, above all because the account may make about one call a second, and
    ``NotAnsweredError``. Nothing is tried twice.
    """

    def get(self, address: str) -> Suppression | None:
        """The entry of exactly this spelling."""

    def remove(self, address: str) -> None:
        """Remove the entry of exactly this spelling, whatever its reason; one that is not there is fine."""

    def page(self, cursor: str | None) -> Page[Suppression]:
        """Entries in the provider's own order, up to 1,000; a cursor that it does not know any more begins anew."""


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
        """The zones in which a phone number may be."""

    def report_missed_removal(self, cause: str, /) -> None:
        """Tell the operator, without personal data, why an entry may still be on the provider's suppression list."""


class ReplyBook(Protocol):
    """The texts that people send, each kept in the history of its contact; forgotten after some 400 days."""

    def receive(self, reply_id: str, receipt: FirstReceipt) -> FirstReceipt:
        """What was given when the provider's id was seen for the first time, which is kept for good."""

    def add(self, reply: Reply) -> Reply:
        """Keep a reply unless it is kept already; the one that is kept."""

    def get(self, key: ContactKey, receipt: FirstReceipt, reply_id: str) -> Reply | None:
        """A contact's reply (strongly consistent)."""

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

        Of those only the ones that match; then a page may be short, or empty, and have a cursor all the same, because
        no more are looked at than the answer should wait for.
        """

    def find(self, business_id: str, reply_id: str) -> Reply:
        """The reply of the provider's id to a business (strongly consistent). Raises ``NotFoundError``."""

    def waiting(self, business_id: str, limit: int, cursor: str | None) -> Page[Reply]:
        """Those that somebody must still read, the oldest first (eventually consistent)."""

    def of_contact(self, key: ContactKey) -> Sequence[Reply]:
        """All replies of a contact (strongly consistent)."""

    def replace(self, before: Reply, after: Reply) -> None:
        """Write a reply that is still as it was read. Raises ``ConcurrentChangeError`` otherwise."""

    def forget(self, key: ContactKey) -> None:
        """Take number and words out of every reply of a contact; what they meant stays."""
