"""What the use cases of messages need from outside."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from rebound.kernel.channels import ContactKey
from rebound.kernel.pages import Page
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.appointments import AppointmentEntry, AppointmentTime, Asked
from rebound.messages.domain.links import LinkKeys, ShortLink
from rebound.messages.domain.messages import Delivery, Message
from rebound.templates.ports import TemplatesPorts
from rebound.text_plans.ports import TextPlansPorts


class MessageLog(Protocol):
    """The client log: one row for each message (truth 7)."""

    def get_many(self, keys: Sequence[MessageKey], *, consistent: bool = True) -> Mapping[MessageKey, Message]:
        """The existing messages of any number of keys; eventually consistent, at half price, unless ``consistent``."""

    def record_new(self, messages: Sequence[Message]) -> None:
        """Write messages that have no row and that nobody else can be writing; for the holder of a chunk's lease."""

    def record(self, messages: Sequence[Message]) -> None:
        """Write what is known of messages; a stored row of the same or a higher rank stays as it is."""

    def claim(self, message: Message) -> bool:
        """Write ``sending`` unless the message has been claimed before, or fell back; whether the claim is ours."""

    def fall_back(self, message: Message) -> bool:
        """Write a queued message that goes by email in place of its text (``Message.fell_back``); whether it does.

        One that was claimed stays as it is: it may have gone out. So does one that fell back in another attempt.
        """

    def release(self, key: MessageKey) -> None:
        """Take a claim back for a message that is known not to have gone out."""

    def advance(self, changes: Sequence[tuple[Message, Message]]) -> Sequence[MessageKey]:
        """Write each ``after`` whose row still is as ``before``; the keys of the rows that have changed meanwhile."""

    def opt_out(self, key: MessageKey, at: datetime) -> None:
        """Keep when the recipient opted out by a message that is a variant; the first time counts."""

    def page(self, business_id: str, customer_id: str, limit: int, cursor: str | None) -> Page[Message]:
        """The log of one customer, newest first."""

    def before(self, business_id: str, customer_id: str, message_id: str | None, limit: int) -> Sequence[Message]:
        """Up to ``limit`` messages of a customer, newest first: those before ``message_id``, or all if it is ``None``.

        Fewer only when there are no more (strongly consistent).
        """

    def forget(self, key: ContactKey, customer_id: str, sealed: str) -> None:
        """Put the hash of an address in its place, and ``sealed`` beside it, in a customer's messages to it."""

    def with_goals(self, business_id: str, customer_id: str, since: datetime) -> Sequence[Message]:
        """A customer's messages of campaigns that have a goal and began then or later (strongly consistent)."""

    def reach(self, message: Message, at: datetime | None) -> None:
        """Write when a message's goal was reached, ``None`` for never, and nothing else of it.

        Raises ``ConcurrentChangeError`` when that is not as it was read.
        """

    def deliveries(self, key: ContactKey, customer_ids: Iterable[str], after: datetime) -> Sequence[Delivery]:
        """Deliveries to an address later than ``after`` among these customers' messages (strongly consistent)."""

    def remember_provider_id(self, provider: Provider, provider_id: str, key: MessageKey) -> None:
        """Keep which message a provider's id means, for a provider whose receipts carry no key of ours."""

    def find_by_provider_id(self, provider: Provider, provider_id: str) -> MessageKey | None:
        """The message that was remembered for the id; ``None`` when there is none."""


class AppointmentBook(Protocol):
    """What has happened about appointments, found by the client's names for them."""

    def record(self, business_id: str, appointment_id: str, entry: AppointmentEntry) -> None:
        """Keep an entry; keeping it again changes nothing."""

    def page(self, business_id: str, appointment_id: str, limit: int, cursor: str | None) -> Page[AppointmentEntry]:
        """The entries about an appointment, the latest first (strongly consistent)."""

    def move(self, business_id: str, appointment_id: str, starts_at: datetime) -> AppointmentTime:
        """Keep when an appointment begins now; of several at once, the one with the highest version is the last."""

    def time(self, business_id: str, appointment_id: str) -> AppointmentTime | None:
        """When an appointment begins (strongly consistent); ``None`` when it was never moved."""

    def ask(self, key: ContactKey, asked: Asked, sent_at: datetime | None = None) -> None:
        """Keep that a contact was asked to confirm something; keeping it again changes nothing.

        It is kept for 30 days from ``sent_at``, if that is later than the time in ``asked``.
        """

    def asked(self, key: ContactKey) -> Sequence[Asked]:
        """What a contact was asked lately and has not confirmed, the latest first (strongly consistent)."""

    def close(self, key: ContactKey, asked: Sequence[Asked]) -> None:
        """Remove questions that have been answered with a confirmation, or whose appointment was cancelled."""


class LinkKeyring(Protocol):
    """The keys that links in messages are signed with."""

    def keys(self, needed: int | None = None) -> LinkKeys:
        """The keys, read once in the life of a process.

        They are read again, at most once a minute, when the key with the id ``needed`` is missing: a rotation may have
        added it since.
        """


class ShortLinkBook(Protocol):
    """Where the short links in texts lead: one row for each recipient of a text that has one."""

    def keep(self, link: ShortLink) -> None:
        """Keep it for as long as messages are; keeping it again changes nothing."""

    def token_of(self, code: str) -> str | None:
        """The token of the link that a code stands for; ``None`` when there is none, or none any more."""


class MessagesPorts(TemplatesPorts, TextPlansPorts, Protocol):
    """What the use cases of messages need from outside."""

    @property
    def messages(self) -> MessageLog: ...

    @property
    def appointments(self) -> AppointmentBook: ...

    @property
    def short_links(self) -> ShortLinkBook: ...

    @property
    def link_keyring(self) -> LinkKeyring: ...

    @property
    def public_url(self) -> str:
        """The public address of the API, without a slash at the end."""
