"""Everything that was sent to a customer and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.kernel.pages import Page
from rebound.messages.domain.messages import Message

if TYPE_CHECKING:
    from rebound.customers.ports import CustomerBook
    from rebound.messages.ports import MessageLog


class ClientLog(Page[Message], frozen=True):
    """Part of the client log of one customer."""

    external_id: str | None = None


class ReadClientLog(Struct, frozen=True, kw_only=True):
    """The client log of one customer."""

    customers: CustomerBook
    messages: MessageLog

    def __call__(self, business_id: str, customer_id: str, limit: int, cursor: str | None) -> ClientLog:
        """Newest first. Raises ``NotFoundError`` when there is no such customer."""
        customer = self.customers.get(business_id, customer_id)
        page = self.messages.page(business_id, customer_id, limit, cursor)
        return ClientLog(page.items, page.next_cursor, customer.external_id)
