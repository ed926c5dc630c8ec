"""What inbound need from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from rebound.messages.ports import MessagesPorts

if TYPE_CHECKING:
    from rebound.inbound.domain.replies import Reply
    from rebound.inbound.domain.reply_records import FirstReceipt
    from rebound.kernel.channels import ContactKey
    from rebound.kernel.pages import Page


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


class InboundPorts(MessagesPorts, Protocol):
    """What the use cases of inbound need from outside."""

    @property
    def replies(self) -> ReplyBook: ...
