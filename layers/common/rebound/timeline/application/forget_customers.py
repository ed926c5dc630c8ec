"""What goes with customers who are deleted: addresses in their messages, and what single messages said to them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from copy import replace
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.campaigns.domain.campaigns import single_id
from rebound.kernel.errors import NotFoundError
from rebound.kernel.retrying import retried
from rebound.messages.domain.sealing import seal
from rebound.templates.domain.content import EmailContent, Said, TemplateContent, TextContent

if TYPE_CHECKING:
    from rebound.campaigns.ports import CampaignBook
    from rebound.kernel.channels import ContactKey
    from rebound.messages.domain.messages import Message
    from rebound.messages.ports import LinkKeyring, MessageLog

PAGE: Final = 100


class ForgetCustomers(Struct, frozen=True, kw_only=True):
    """Takes out of the message log, and out of single messages, what is no longer anybody's.

    Everything may be done again. The messages themselves stay for as long as messages are kept: campaigns are counted
    from them. A message whose customer is deleted before it is sent is left out as ``not_found``, with or without its
    content.
    """

    messages: MessageLog
    campaigns: CampaignBook
    keyring: LinkKeyring

    def addresses(self, key: ContactKey, customer_ids: Collection[str]) -> None:
        """Forget an address in the messages of customers who are gone."""
        sealed = seal(key, self.keyring.keys()) if customer_ids else ""
        for customer_id in sorted(customer_ids):
            self.messages.forget(key, customer_id, sealed)

    def contents(self, business_id: str, customer_ids: Iterable[str]) -> None:
        """Forget what single messages to deleted customers said."""
        for customer_id in sorted(customer_ids):
            for message in self._log(business_id, customer_id):
                if message.is_for_another and not message.contact.is_hashed:
                    # Of whoever got it nothing is kept but in the customer's log.
                    self.messages.forget(message.contact, customer_id, seal(message.contact, self.keyring.keys()))
                if message.campaign_id is None:
                    self._empty(business_id, single_id(message.key.message_id))

    def _log(self, business_id: str, customer_id: str) -> Iterator[Message]:
        before: str | None = None
        while page := self.messages.before(business_id, customer_id, before, PAGE):
            yield from page
            before = page[-1].key.message_id

    def _empty(self, business_id: str, campaign_id: str) -> None:
        def write() -> None:
            try:
                carrier = self.campaigns.get(business_id, campaign_id)
            except NotFoundError:
                # It has expired.
                return
            empty = replace(carrier, content=_emptied(carrier.content), copy_to=None, copy_name=None)
            if carrier != empty:
                self.campaigns.replace(carrier, empty)

        retried(write)


def _emptied(said: Said) -> Said:
    if isinstance(said, TemplateContent):
        return said.forgotten
    return TextContent("") if isinstance(said, TextContent) else EmailContent("", text="")
