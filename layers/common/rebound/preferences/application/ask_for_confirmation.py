"""Asking a customer whether they want marketing (double opt-in). The answer is a press of a button, or a START."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.consent.domain.taking_back import how_to_take_back
from rebound.contacts.domain.contacts import Contact
from rebound.customers.domain import language_for
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import COVERED_BY, Scope
from rebound.kernel.errors import ConflictError, TooSoonError
from rebound.kernel.local_time import seconds_until_tomorrow
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.messages import Message
from rebound.preferences.domain import opt_in_question

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import ContactBook
    from rebound.customers.ports import CustomerBook
    from rebound.messages.ports import MessageLog
    from rebound.platform.ports import Clock, Ids, RequestIds
    from rebound.sending.application.post_message import PostMessage


class AskForConfirmation(Struct, frozen=True, kw_only=True):
    """Sends the question to an address, at most once on each day of the business's calendar."""

    customers: CustomerBook
    contacts: ContactBook
    businesses: BusinessDirectory
    messages: MessageLog
    post: PostMessage
    clock: Clock
    ids: Ids
    request_ids: RequestIds

    def __call__(self, business_id: str, customer_id: str, channel: Channel) -> Message:
        """The message with the question. Raises ``NotFoundError``, ``ConflictError`` and ``TooSoonError``."""
        business, customer = self.businesses.get(business_id), self.customers.get(business_id, customer_id)
        key = customer.contact_key(channel)
        if key is None:
            raise ConflictError("no_address", f"The customer has no {channel} address.", channel=channel)
        provider = business.text_provider.traits
        if channel is Channel.SMS and not provider.takes_answers:
            raise ConflictError(
                "no_answers",
                f"Answers to texts over {provider.label} do not come back, so nobody can confirm by text.",
            )
        if channel is Channel.SMS and not business.can_be_texted:
            raise ConflictError("no_answers", "Texts come from a name, which nobody can answer: ask by email.")
        _check(self.contacts.get_many([key])[key], business)
        now = self.clock.now()
        name = f"confirmation#{key.hashed}#{now.astimezone(ZoneInfo(business.time_zone)).date()}"
        # Customers may share the address: only today's first is asked, and again if the first attempt died on the way.
        first = self.request_ids.id_for(business_id, f"{name}#customer", customer_id)
        message_id = self.request_ids.id_for(business_id, name, self.ids.ulid(now))
        if first != customer_id or self.messages.get_many([MessageKey(business_id, customer_id, message_id)]):
            raise TooSoonError(
                "The question was sent to this address today; ask again tomorrow.",
                seconds_until_tomorrow(now, business.time_zone),
            )
        return self.post(
            business_id,
            customer_id=customer_id,
            category=Category.TRANSACTIONAL,
            channel=channel,
            content=opt_in_question(language_for(customer, business), channel),
            asks_consent=True,
            request=name,
        )


def _check(contact: Contact, business: Business) -> None:
    """Raise ``ConflictError`` for a contact who has confirmed already, or who has opted out."""
    if contact.consent.is_confirmed:
        raise ConflictError("confirmed_already", "The customer has confirmed already.")
    for scope in COVERED_BY[Scope.MARKETING]:
        opt_out = contact.consent.of(scope).opt_out
        if opt_out is not None:
            raise ConflictError(
                "opted_out",
                f"The customer has opted out. {how_to_take_back(opt_out, contact.key.channel, business.text_from)}",
            )
