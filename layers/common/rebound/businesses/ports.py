"""What the use cases of businesses need from outside."""

from collections.abc import Collection, Sequence
from typing import Protocol

from rebound.access.ports import AccessPorts
from rebound.businesses.domain.business import Business, Recopying
from rebound.contacts.ports import ContactsPorts
from rebound.kernel.provider_codes import Provider


class BusinessDirectory(Protocol):
    """The businesses of this deployment."""

    def get(self, business_id: str) -> Business:
        """Raises ``NotFoundError``."""

    def add(self, business: Business) -> None:
        """Raises ``ConflictError`` when the id is taken."""

    def ids(self) -> Sequence[str]:
        """The ids of all businesses, in no particular order; for nightly work, because it reads the whole table."""

    def having_sent_from(self, senders: Collection[str]) -> Sequence[Business]:
        """The businesses whose ``text_from`` is, or ever was, one of these numbers or messaging services, by id."""

    def replace(self, business: Business) -> None:
        """Write all settings if the stored row still has ``version``. Raises ``ConcurrentChangeError`` otherwise."""


class RecopyQueue(Protocol):
    """Copyings of flags that are due."""

    def put(self, work: Recopying) -> None:
        """Enqueue; it is on the queue when this returns, and may be delivered more than once."""


class BusinessesPorts(AccessPorts, ContactsPorts, Protocol):
    """What the use cases of businesses need from outside."""

    @property
    def businesses(self) -> BusinessDirectory: ...

    @property
    def recopy_queue(self) -> RecopyQueue: ...

    @property
    def default_text_provider(self) -> Provider:
        """The text provider of businesses that are created without one."""
