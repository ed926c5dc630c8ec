"""Asking customers whether their details are right, with a link to a form in which they say so themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.access.domain import actor
from rebound.customers.domain import ProfileEvent, ProfileEventKind
from rebound.eligibility.domain.channels_left import why_not_by
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConflictError, TooSoonError
from rebound.kernel.local_time import seconds_until_tomorrow, wall_clock
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.links import Purpose, place_of
from rebound.messages.domain.messages import Message
from rebound.templates.domain.content import MadeFrom
from rebound.templates.domain.template_events import default_id

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import ContactBook
    from rebound.customers.ports import CustomerBook, ProfileHistory
    from rebound.messages.ports import MessageLog
    from rebound.platform.ports import Clock, Ids, RequestIds
    from rebound.sending.application.post_message import PostMessage
    from rebound.templates.application.template_contents import TemplateContents


class AskForUpdate(Struct, frozen=True, kw_only=True):
    """Sends a link to the form of a customer's own details, by the channel that was asked for or else by the other.

    An address that is flagged, or that wants nothing from the business, is not asked: the form is the way to mend it,
    and goes by the other channel. Each address of a customer is asked once on each day of the business's calendar.
    """

    customers: CustomerBook
    contacts: ContactBook
    businesses: BusinessDirectory
    messages: MessageLog
    template_contents: TemplateContents
    post: PostMessage
    clock: Clock
    ids: Ids
    request_ids: RequestIds
    history: ProfileHistory

    def __call__(
        self, business_id: str, customer_id: str, channel: Channel | None = None, request: str | None = None
    ) -> Message:
        """The message, whose ``channel`` is the one that it goes by; emails come first where none is named.

        ``request`` names the client's request: trying it again after a crash goes on with the same message. Raises
        ``NotFoundError``, ``ConflictError`` when there is no channel left, and ``TooSoonError``.
        """
        business, customer = self.businesses.get(business_id), self.customers.get(business_id, customer_id)
        known = self.contacts.get_many(customer.contact_keys)
        order = sorted(Channel, key=lambda each: (each is not channel, each is not Channel.EMAIL))
        reasons = {each: why_not_by(each, customer, business, known) for each in order}
        chosen = next((each for each, reason in reasons.items() if reason is None), None)
        if chosen is None:
            raise ConflictError(
                "no_channel_left",
                "The customer can be asked neither by email nor by text: "
                f"{', '.join(f'{each} {_WORDS[str(reason)]}' for each, reason in reasons.items())}.",
                reasons=[f"{each}: {reason}" for each, reason in reasons.items()],
            )
        now, key = self.clock.now(), customer.contact_key(chosen)
        name = f"update-request#{customer_id}#{key and key.digest}#{wall_clock(now, business.time_zone).date()}"
        mine = request or self.ids.ulid(now)
        first = self.request_ids.id_for(business_id, f"{name}#request", mine)
        message_id = self.request_ids.id_for(business_id, name, self.ids.ulid(now))
        if first != mine and self.messages.get_many([MessageKey(business_id, customer_id, message_id)]):
            raise TooSoonError(
                f"The customer was asked by {_BY[chosen]} today; ask again tomorrow.",
                seconds_until_tomorrow(now, business.time_zone),
            )
        made_from = MadeFrom(default_id("update_form", chosen), variables={"url": place_of(Purpose.PROFILE)})
        category = Category.TRANSACTIONAL
        content = self.template_contents.made(business_id, made_from, chosen, category)
        message = self.post(
            business_id, customer_id=customer_id, category=category, channel=chosen, content=content, request=name
        )
        if actor() is not None:
            asked = ProfileEvent(kind=ProfileEventKind.DETAILS_ASKED, at=now, event_id=self.ids.ulid(now))
            self.history.note(business_id, {customer_id: [asked]})
        return message


_BY: Final = {Channel.EMAIL: "email", Channel.SMS: "text"}
_WORDS: Final = {
    "no_address": "has no address",
    "invalid": "has an address that is flagged as invalid",
    "opted_out": "has opted out",
    "off": "is switched off, or has no sender, in the business's settings",
}
