"""Everything that was sent to a customer and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rebound.application.pages import Page
    from rebound.application.ports import CustomerBook, MessageLog
    from rebound.domain.messages import Message


class ReadClientLog:
    """The client log of one customer."""

    def __init__(self, customers: CustomerBook, messages: MessageLog) -> None:
        self._customers = customers
        self._messages = messages

    def __call__(self, business_id: str, customer_id: str, limit: int, cursor: str | None) -> Page[Message]:
        """Newest first. Raises ``NotFoundError`` when there is no such customer."""
        self._customers.get(business_id, customer_id)
        return self._messages.page(business_id, customer_id, limit, cursor)
