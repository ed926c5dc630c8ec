"""The events about single messages: that one was delivered, failed, or was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.kernel.errors import NotFoundError
from rebound.kernel.events import MessageDelivered, MessageEvent, MessageExcluded, MessageFailed
from rebound.kernel.pages import RowChange
from rebound.messages.domain.messages import Message, MessageStatus

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory
    from rebound.webhooks.application.publish_events import PublishEvents


class ProjectMessages(Struct, frozen=True, kw_only=True):
    """Follows single messages in the message log's change stream; those of campaigns do not come here.

    Tests have no events: they are about nobody's customer.

    The stream is in order for each message and delivered at least once.
    """

    businesses: BusinessDirectory
    publish: PublishEvents

    def __call__(self, change: RowChange[Message]) -> None:
        """Publish the event of a change, if the business or one of its webhooks asks for it."""
        event = _event(change)
        if event is None:
            return
        try:
            business = self.businesses.get(event.business_id)
        except NotFoundError:
            return
        if _is_wanted(type(event).__name__, business):
            self.publish([event], change.at, business=business)


def _is_wanted(name: str, business: Business) -> bool:
    return name in business.message_events or any(name in webhook.events for webhook in business.webhooks)


def _event(change: RowChange[Message]) -> MessageEvent | None:
    message = change.after
    if message.key.is_test or (change.before is not None and change.before.status is message.status):
        return None
    key = message.key
    about = (key.business_id, key.message_id, key.customer_id, message.appointment_id, message.channel)
    match message.status:
        case MessageStatus.DELIVERED:
            at = message.delivered_at or change.at
            return MessageDelivered(*about, message.category, at, change.change_id)
        case MessageStatus.FAILED | MessageStatus.BOUNCED:
            return MessageFailed(
                *about,
                message.category,
                message.status,
                message.reason,
                message.failed_at or change.at,
                change.change_id,
            )
        case MessageStatus.EXCLUDED:
            return MessageExcluded(*about, message.category, message.reason, change.change_id)
        case _:
            return None
