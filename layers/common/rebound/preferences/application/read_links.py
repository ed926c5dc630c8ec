"""Reading the links that come back: what they say, and whom they speak for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.kernel.channels import ContactKey
from rebound.kernel.errors import NotFoundError
from rebound.messages.domain.links import key_id_of, read_token

if TYPE_CHECKING:
    from rebound.contacts.domain.contacts import Contact
    from rebound.contacts.ports import ContactBook
    from rebound.customers.ports import CustomerBook
    from rebound.messages.domain.links import Link, Purpose
    from rebound.messages.ports import LinkKeyring, MessageLog


class LinkReader(Struct, frozen=True, kw_only=True):
    """Reads links, and finds the address that each was sent to, whatever has become of the customer since."""

    keyring: LinkKeyring
    messages: MessageLog
    customers: CustomerBook
    contacts: ContactBook

    def read(self, token: str, purpose: Purpose) -> Link | None:
        """What a link says; ``None`` unless we wrote it, for this purpose."""
        key_id = key_id_of(token)
        return None if key_id is None else read_token(token, purpose, self.keyring.keys(key_id))

    def contact(self, link: Link) -> Contact:
        """The contact that the link was sent to, as it is now. Raises ``NotFoundError``.

        The message log knows the address. Where it has not written it down yet, had to guess it, or no longer has it
        (400 days), the customer's addresses are gone through, of now and of before; and where the customer is gone too,
        there may be what is remembered of the address under its hash, which is there while nobody uses it.
        """
        key = self._address(link)
        contact = self.contacts.get_many([key])[key]
        if key.is_hashed and not contact.remembered:
            raise NotFoundError("address")
        return contact

    def _address(self, link: Link) -> ContactKey:
        message = self.messages.get_many([link.message]).get(link.message)
        if message is not None:
            sent_to = ContactKey(link.message.business_id, message.channel, message.address)
            if sent_to.hashed == link.contact:
                return sent_to
        try:
            customer = self.customers.get(link.message.business_id, link.message.customer_id)
        except NotFoundError:
            return link.contact
        return next((key for key in customer.all_contact_keys if key.hashed == link.contact), link.contact)
