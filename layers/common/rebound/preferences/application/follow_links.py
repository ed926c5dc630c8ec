"""Reading the links in messages, and doing what their holders ask: unsubscribe, confirm, or choose what to get."""

from __future__ import annotations

from copy import replace
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.businesses.domain.business import Business, RecipientOfTests
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.contacts import Contact
from rebound.customers.domain import Customer, language_for
from rebound.kernel.channels import ContactKey
from rebound.kernel.consent_words import Scope
from rebound.kernel.errors import NotFoundError
from rebound.kernel.retrying import retried
from rebound.messages.domain.links import CODE_LENGTH, MAX_TOKEN, Link, Purpose, key_id_of, read_token, write_token
from rebound.messages.domain.messages import Message
from rebound.messages.domain.sealing import sealing_key_of, unseal
from rebound.preferences import domain as preferences
from rebound.preferences.domain import Choice, Switches

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import ContactBook
    from rebound.customers.ports import CustomerBook
    from rebound.messages.application.note_opt_outs import NoteOptOuts
    from rebound.messages.application.record_evidence import RecordEvidence
    from rebound.messages.ports import LinkKeyring, MessageLog, ShortLinkBook
    from rebound.platform.ports import Clock


class LinkReader(Struct, frozen=True, kw_only=True):
    """Reads links, and finds the address that each was sent to, whatever has become of the customer since."""

    keyring: LinkKeyring
    messages: MessageLog
    customers: CustomerBook
    contacts: ContactBook
    short_links: ShortLinkBook

    def token_of(self, code: str) -> str:
        """The token that the code of a short link stands for. Raises ``NotFoundError``."""
        token = self.short_links.token_of(code) if len(code) <= MAX_TOKEN else None
        if token is None:
            raise NotFoundError("link")
        return token

    def token_behind(self, written: str) -> str:
        """The token of a link that is either written out or short. Raises ``NotFoundError``."""
        return self.token_of(written) if len(written) == CODE_LENGTH else written

    def read(self, token: str, purpose: Purpose) -> Link | None:
        """The link that a token holds; ``None`` unless we wrote the token, for this purpose."""
        key_id = key_id_of(token)
        return None if key_id is None else read_token(token, purpose, self.keyring.keys(key_id))

    def contact(self, link: Link) -> Contact:
        """The contact that the link was sent to, as it is now. Raises ``NotFoundError``.

        The message log knows the address. When the log has not stored it yet, had to guess it, or no longer has it (400
        days), it is looked for among the customer's present and former addresses. When the customer is gone too, the
        contact may still be remembered under the hash of its address, as long as nobody uses the address.
        """
        key = self._address(link)
        contact = self.contacts.get_many([key])[key]
        if key.is_hashed and not contact.remembered:
            raise NotFoundError("address")
        return contact

    def _address(self, link: Link) -> ContactKey:
        message = self.messages.get_many([link.message]).get(link.message)
        if message is not None and link.contact in (sent_to := self._sent_to(message)).all_hashed:
            return sent_to
        try:
            customer = self.customers.get(link.message.business_id, link.message.customer_id)
        except NotFoundError:
            return link.contact
        return next((key for key in customer.all_contact_keys if link.contact in key.all_hashed), link.contact)

    def _sent_to(self, message: Message) -> ContactKey:
        if message.sealed is None or not message.contact.is_hashed:
            return message.contact
        return unseal(message.sealed, self.keyring.keys(sealing_key_of(message.sealed))) or message.contact


class LinkView(Struct, frozen=True):
    """What the holder of a link sees: whose link it is, and how things stand with the address.

    ``opted_out`` are the scopes of which an opt-out holds, each by itself. ``address`` is ``None`` when only its hash
    is still known. ``preferences`` is the token of the link with which any choice is made, this one too. ``language``
    is that of the customer whom the message was for, else the business's.
    """

    business: Business
    link: Link
    opted_out: tuple[Scope, ...]
    address: str | None
    stopped_by_word: bool
    confirmed: bool
    preferences: str
    language: str

    @property
    def is_stopped(self) -> bool:
        """Whether what the link is about is stopped: by an opt-out of its scope, or of a wider one."""
        return preferences.is_stopped(self.link.scope, self.opted_out)

    @property
    def is_test(self) -> bool:
        """Whether the link is in a message to a test recipient, whose consent no link in it changes."""
        return self.link.message.is_test


class FollowLinks(Struct, frozen=True, kw_only=True):
    """Shows what a link stands for, and does what its holder asks. Showing never changes anything.

    Every method raises ``NotFoundError`` when the token is not, or is no longer, a link of this kind.
    """

    reader: LinkReader
    keyring: LinkKeyring
    businesses: BusinessDirectory
    customers: CustomerBook
    record_evidence: RecordEvidence
    note_opt_outs: NoteOptOuts
    clock: Clock

    def show(self, token: str, purpose: Purpose) -> LinkView:
        """What the holder of the link sees."""
        link, contact = self._open(token, purpose)
        return self._view(link, contact)

    def unsubscribe(self, token: str) -> LinkView:
        """Stop what the link names, and show the result. Repeating it changes nothing: the first time is kept."""
        link, contact = self._open(token, Purpose.UNSUBSCRIBE)
        now, message_id = self.clock.now(), link.message.message_id
        return self._record(link, contact, preferences.unsubscribed(contact.consent, link.scope, now, message_id))

    def confirm(self, token: str) -> LinkView:
        """Allow what the link asks for, and show the result. Repeating it changes nothing: the first time is kept."""
        link, contact = self._open(token, Purpose.CONFIRM)
        if link.message.is_test:
            self._confirm_tests(link)
            return self._view(link, contact)
        now, message_id = self.clock.now(), link.message.message_id
        return self._record(link, contact, preferences.confirmed(contact.consent, link.scope, now, message_id))

    def choose(self, token: str, choice: Choice | Switches) -> LinkView:
        """Apply a choice, or the switches that were moved, and show the result.

        Texts that were stopped by a word stay as they were.
        """
        link, contact = self._open(token, Purpose.PREFERENCES)
        if preferences.is_stopped_by_word(contact.consent, link.contact.channel):
            return self._view(link, contact)
        now, message_id = self.clock.now(), link.message.message_id
        return self._record(link, contact, preferences.chosen(contact.consent, choice, now, message_id))

    def _open(self, token: str, purpose: Purpose) -> tuple[Link, Contact]:
        link = self.reader.read(token, purpose)
        if link is None:
            raise NotFoundError("link")
        if link.message.is_test and purpose is Purpose.CONFIRM:
            _recipient_of_tests(self.businesses.get(link.message.business_id), link)
        return link, self.reader.contact(link)

    def _confirm_tests(self, link: Link) -> None:
        """Keep that tests may be sent to the address, since the first time that its owner said so."""

        def write() -> None:
            business = self.businesses.get(link.message.business_id)
            asked = _recipient_of_tests(business, link)
            if asked.confirmed_at is None:
                confirmed = replace(asked, confirmed_at=self.clock.now())
                recipients = tuple(confirmed if each is asked else each for each in business.test_recipients)
                self.businesses.replace(replace(business, test_recipients=recipients))

        retried(write)

    def _record(self, link: Link, contact: Contact, evidence: tuple[ConsentEvidence, ...]) -> LinkView:
        if link.message.is_test:
            return self._view(link, contact)
        if evidence:
            self.record_evidence(contact, evidence)
        if any(each.opted_out for each in evidence):
            self.note_opt_outs.by_link(link.message, self.clock.now())
        return self._view(link, contact.with_evidence(*evidence))

    def _view(self, link: Link, contact: Contact) -> LinkView:
        channel = link.contact.channel
        business = self.businesses.get(link.message.business_id)
        return LinkView(
            business,
            link,
            contact.consent.opted_out,
            None if contact.key.is_hashed else contact.key.address,
            preferences.is_stopped_by_word(contact.consent, channel),
            _may_be_tested(business, link) if link.message.is_test else contact.consent.is_confirmed,
            write_token(Link.to(Purpose.PREFERENCES, link.contact, link.message), self.keyring.keys()),
            language_for(self._customer(link), business),
        )

    def _customer(self, link: Link) -> Customer | None:
        try:
            return self.customers.get(link.message.business_id, link.message.customer_id)
        except NotFoundError:
            return None


def _recipient_of_tests(business: Business, link: Link) -> RecipientOfTests:
    """The test recipient to whom a link went. Raises ``NotFoundError`` when they are no longer on the list."""
    for each in business.test_recipients:
        if link.contact in ContactKey(business.business_id, each.channel, each.address).all_hashed:
            return each
    raise NotFoundError("test recipient")


def _may_be_tested(business: Business, link: Link) -> bool:
    return any(
        each.confirmed_at is not None
        and link.contact in ContactKey(business.business_id, each.channel, each.address).all_hashed
        for each in business.test_recipients
    )
