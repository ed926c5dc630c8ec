"""Keeping by which message of a campaign with variants somebody opted out."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.kernel.channels import ContactKey
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.messages import Message, had_its_message

if TYPE_CHECKING:
    from rebound.messages.ports import MessageLog

LATEST: Final = 10
"""Messages of a customer among which the last text is looked for."""
ANSWERED_WITHIN: Final = timedelta(days=7)


class NoteOptOuts(Struct, frozen=True, kw_only=True):
    """Writes at a message of such a campaign that its recipient opted out by it; for any other, nothing is written.

    The first time counts, and noting it again changes nothing.
    """

    messages: MessageLog

    def by_link(self, key: MessageKey, at: datetime) -> None:
        """Somebody opted out by a link in a message."""
        self._note(self.messages.get_many([key]).get(key), at)

    def by_text(self, contact: ContactKey, customer_ids: Collection[str], at: datetime) -> None:
        """Somebody texted STOP: in answer to the last text that they had, if it was not long ago."""
        texts = [
            message
            for customer_id in sorted(customer_ids)
            for message in self.messages.before(contact.business_id, customer_id, None, LATEST)
            if message.contact == contact and had_its_message(message) and _is_answered(message, at)
        ]
        self._note(max(texts, key=lambda message: message.key.message_id, default=None), at)

    def _note(self, message: Message | None, at: datetime) -> None:
        if message is not None and message.opted_out(at) != message:
            self.messages.opt_out(message.key, at)


def _is_answered(message: Message, at: datetime) -> bool:
    had_at = message.sent_at or message.queued_at
    return had_at is not None and had_at <= at <= had_at + ANSWERED_WITHIN
