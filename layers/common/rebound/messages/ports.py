"""What the use cases of messages need from outside."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from rebound.customers.ports import CustomersPorts
from rebound.kernel.channels import ContactKey
from rebound.kernel.pages import Page
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.appointments import AppointmentEntry, Asked
from rebound.messages.domain.links import LinkKeys
from rebound.messages.domain.messages import Delivery, Message


class MessageLog(Protocol):
    """The client log: one row for each message (truth 7)."""

    def get_many(self, keys: Sequence[MessageKey], *, consistent: bool = True) -> Mapping[MessageKey, Message]:
        """Those that exist, any number; unless ``consistent``, as they were a moment ago, for half the price."""

    def record_new(self, messages: Sequence[Message]) -> None:
        """Write messages that have no row and that nobody else can be writing: for the holder of a chunk's lease."""

    def record(self, messages: Sequence[Message]) -> None:
        """Write what is known of messages; a stored row of the same or a higher rank stays as it is."""

    def claim(self, message: Message) -> bool:
        """Write ``sending`` unless the message has been claimed before; whether it is ours."""

    def release(self, key: MessageKey) -> None:
        """Take a claim back for a message that is known not to have gone out."""

    def advance(self, changes: Sequence[tuple[Message, Message]]) -> Sequence[MessageKey]:
        """Write each (before, after) if the row still is as before; the keys of those that had changed meanwhile."""

    def page(self, business_id: str, customer_id: str, limit: int, cursor: str | None) -> Page[Message]:
        """The log of one customer, newest first."""

    def before(self, business_id: str, customer_id: str, message_id: str | None, limit: int) -> Sequence[Message]:
        """Up to ``limit`` of a customer's messages with an id before this one, or of all, newest first.

        Fewer only when there are no more (strongly consistent).
        """

    def deliveries(self, key: ContactKey, customer_ids: Iterable[str], after: datetime) -> Sequence[Delivery]:
        """Deliveries to an address later than ``after`` among these customers' messages (strongly consistent)."""

    def remember_provider_id(self, provider: Provider, provider_id: str, key: MessageKey) -> None:
        """For a provider that sends nothing of ours back: which message its id means."""

    def find_by_provider_id(self, provider: Provider, provider_id: str) -> MessageKey | None:
        """The message that was remembered for the id."""


class AppointmentBook(Protocol):
    """What has happened about appointments, found by the client's names for them."""

    def record(self, business_id: str, appointment_id: str, entry: AppointmentEntry) -> None:
        """Keep an entry; the same again changes nothing."""

    def page(self, business_id: str, appointment_id: str, limit: int, cursor: str | None) -> Page[AppointmentEntry]:
        """The latest first (strongly consistent)."""

    def ask(self, key: ContactKey, asked: Asked) -> None:
        """Keep that a contact is asked to confirm something, for 30 days; the same again changes nothing."""

    def asked(self, key: ContactKey) -> Sequence[Asked]:
        """What a contact was asked lately and has not confirmed, the latest first (strongly consistent)."""

    def close(self, key: ContactKey, asked: Sequence[Asked]) -> None:
        """These are confirmed."""


class LinkKeyring(Protocol):
    """The keys that links in messages are signed with."""

    def keys(self, needed: int | None = None) -> LinkKeys:
        """The keys, read once in the life of a process.

        They are read again, at most once a minute, when the one that is ``needed`` is not among them: it may have come
        with a rotation since.
        """


class MessagesPorts(CustomersPorts, Protocol):
    """What the use cases of messages need from outside."""

    @property
    def messages(self) -> MessageLog: ...

    @property
    def appointments(self) -> AppointmentBook: ...

    @property
    def link_keyring(self) -> LinkKeyring: ...

    @property
    def public_url(self) -> str:
        """Where the world reaches the API, without a slash at the end."""
