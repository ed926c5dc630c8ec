"""What the use cases of businesses need from outside."""

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from rebound.access.ports import AccessPorts
from rebound.businesses.domain.business import Business, Recopying
from rebound.businesses.domain.holds import HoldPolicy
from rebound.businesses.domain.senders import SenderHolders
from rebound.businesses.domain.text_prices import TextPrice
from rebound.contacts.ports import ContactsPorts
from rebound.kernel.pages import Page
from rebound.kernel.provider_codes import Provider


class BusinessDirectory(Protocol):
    """The businesses of this deployment."""

    def get(self, business_id: str) -> Business:
        """Raises ``NotFoundError``."""

    def add(self, business: Business, holders: Sequence[SenderHolders] = ()) -> None:
        """Write a new business. Raises ``ConflictError`` when the id is taken, else as ``replace`` does."""

    def page(self, limit: int, cursor: str | None, q: str | None = None) -> Page[Business]:
        """Businesses by id; with ``q``, those whose name or id has it, in any case. Raises ``InvalidInputError``.

        Businesses that were last written before there was such a list are not in it.
        """

    def ids(self) -> Sequence[str]:
        """The ids of all businesses, in no particular order; for nightly work, because it reads the whole table."""

    def having_sent_from(self, senders: Collection[str]) -> Sequence[Business]:
        """The businesses whose ``text_from`` is, or ever was, one of these numbers or messaging services, by id."""

    def sender_holders(self, sender: str) -> SenderHolders:
        """The businesses that have a sender, as of now."""

    def replace(self, business: Business, holders: Sequence[SenderHolders] = ()) -> None:
        """Write all settings, with the holders of senders, all or nothing.

        Raises ``ConcurrentChangeError`` if any of the stored rows has another ``version`` than was read.
        """


class BusinessTransactions(Protocol):
    """Lets the owners of other tables write settings in the same transaction."""

    def replace_within(self, writes: Any, business: Business, holders: Sequence[SenderHolders] = ()) -> None:
        """``BusinessDirectory.replace`` as a part of a larger transaction."""


class HoldPolicyBook(Protocol):
    """The operator's policy for holding accounts, one for the stack."""

    def get(self) -> HoldPolicy | None:
        """The policy as of now; ``None`` while no account is held by itself."""

    def put(self, policy: HoldPolicy | None) -> None:
        """Set it, or switch it off."""


class TextPriceBook(Protocol):
    """What texts cost, as the operator has entered it, one table for the stack."""

    def get(self, country: str, provider: Provider) -> TextPrice | None:
        """What texts of businesses in a country cost over a provider, as of now; ``None`` while nobody has said."""

    def put(self, price: TextPrice) -> None:
        """Enter a price, in place of the one that there is."""

    def delete(self, country: str, provider: Provider) -> None:
        """Raises ``NotFoundError`` when there is none."""

    def page(self, limit: int, cursor: str | None) -> Page[TextPrice]:
        """Prices by country. Raises ``InvalidInputError``."""


class RecopyQueue(Protocol):
    """Copyings of flags that are due."""

    def put(self, work: Recopying) -> None:
        """Enqueue; it is on the queue when this returns, and may be delivered more than once."""


class ReboundMail(Protocol):
    """Emails of Rebound itself to the people who run a business, or the stack: never to customers."""

    def send(self, sender: str, to: str, subject: str, text: str) -> None:
        """Send one email. Raises ``ComeAgainError`` when it did not go out and may later."""


class BusinessesPorts(AccessPorts, ContactsPorts, Protocol):
    """What the use cases of businesses need from outside."""

    @property
    def businesses(self) -> BusinessDirectory: ...

    @property
    def hold_policies(self) -> HoldPolicyBook: ...

    @property
    def text_prices(self) -> TextPriceBook: ...

    @property
    def recopy_queue(self) -> RecopyQueue: ...

    @property
    def rebound_mail(self) -> ReboundMail: ...

    @property
    def sender_identities(self) -> Sequence[str]:
        """The identities in SES that the stack may send from: addresses, and domains with their subdomains."""

    @property
    def default_text_provider(self) -> Provider:
        """The text provider of businesses that are created without one."""
