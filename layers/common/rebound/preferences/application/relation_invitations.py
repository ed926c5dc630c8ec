"""Asking family and friends by email whether they belong to a customer, and what they answer on the page behind it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import Failure
from rebound.customers.domain import Customer, language_for
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import Scope
from rebound.kernel.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.links import Link, Purpose, place_of
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.relations.application import Asking
from rebound.relations.domain import RelationStatus
from rebound.sending.domain.single_messages import Elsewhere
from rebound.templates.domain.content import MadeFrom
from rebound.templates.domain.template_events import default_id

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import AddressReader, ContactBook
    from rebound.customers.ports import CustomerBook
    from rebound.messages.ports import MessageLog
    from rebound.platform.ports import Clock, Ids, RequestIds
    from rebound.preferences.application.follow_links import LinkReader
    from rebound.relations.application import NewRelation, RelationService, RelationView
    from rebound.relations.ports import RelationBook
    from rebound.sending.application.post_message import PostMessage
    from rebound.templates.application.template_contents import TemplateContents


class InvitationState(StrEnum):
    """How it stands with an invitation."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    CLOSED = "closed"
    """It was taken back, or one of the two is gone."""


class InvitationView(Struct, frozen=True):
    """What the holder of a link sees; ``name`` is that of the customer who asks."""

    business: Business
    language: str
    state: InvitationState
    name: str = ""


class RelationSeen(Struct, frozen=True):
    """A relation as one customer sees it, with the message of its invitation while that is kept."""

    view: RelationView
    message: Message | None = None


class RelationInvitations(Struct, frozen=True, kw_only=True):
    """Links customers, and asks the other first where an invitation is wished for.

    The relation is written first, with the id that its message will have: who dies in between, and is asked again with
    the same name of the request, sends the one message that is missing.

    The message stands in the log of whoever is asked, or of the customer who asks where the other is none.
    """

    service: RelationService
    relations: RelationBook
    customers: CustomerBook
    contacts: ContactBook
    businesses: BusinessDirectory
    messages: MessageLog
    addresses: AddressReader
    template_contents: TemplateContents
    post: PostMessage
    clock: Clock
    ids: Ids
    request_ids: RequestIds

    def list(self, business_id: str, customer_id: str) -> Sequence[RelationSeen]:
        """The relations of a customer, the oldest first, with their invitations. Raises ``NotFoundError``."""
        return self._seen(business_id, customer_id, self.service.list(business_id, customer_id))

    def __call__(
        self,
        business_id: str,
        customer_id: str,
        new: NewRelation,
        *,
        invite: bool | str = False,
        request: str | None = None,
    ) -> RelationSeen:
        """The new relation: accepted at once where nobody is asked.

        ``invite`` is the email address to ask at, or true for that of the other customer. Raises what
        ``RelationService.add`` does, and ``ConflictError`` where no email may go there.
        """
        new = self._named(business_id, new, request)
        if invite is False:
            return RelationSeen(self.service.add(business_id, customer_id, new))
        business, customer = self.businesses.get(business_id), self.customers.get(business_id, customer_id)
        other = self.service.check(business_id, customer_id, new)
        address = self._address(business, other, invite=invite)
        key = ContactKey.of(business_id, Channel.EMAIL, address)
        name = f"relation#{new.relation_id}"
        message_id = self.request_ids.id_for(business_id, name, self.ids.ulid(self.clock.now()))
        made_from = MadeFrom(
            default_id("family_invitation", Channel.EMAIL),
            variables={"person_name": customer.full_name, "url": place_of(Purpose.RELATION)},
        )
        category = Category.TRANSACTIONAL
        content = self.template_contents.made(business_id, made_from, Channel.EMAIL, category)
        log_of = customer_id if other is None else other.customer_id
        asking = Asking(message_id, log_of, key.digest, business.time_zone)
        view = self.service.add(business_id, customer_id, replace(new, asking=asking))
        is_own = other is not None and key == other.contact_key(Channel.EMAIL)
        message = self.post(
            business_id,
            customer_id=log_of,
            category=category,
            channel=Channel.EMAIL,
            content=content,
            request=name,
            elsewhere=None if is_own else Elsewhere(address, new.relation_id, new.name),
        )
        return RelationSeen(view, message)

    def _seen(self, business_id: str, customer_id: str, views: Sequence[RelationView]) -> Sequence[RelationSeen]:
        """The message of an invitation is in the log of one of the two."""
        logs = {
            relation.invitation: [
                MessageKey(business_id, each, relation.invitation)
                for each in (relation.other_id, customer_id)
                if each is not None
            ]
            for relation in (view.relation for view in views)
            if relation.invitation is not None
        }
        known = self.messages.get_many([key for keys in logs.values() for key in keys]) if logs else {}
        found = {key.message_id: message for key, message in known.items()}
        return [RelationSeen(view, found.get(view.relation.invitation or "")) for view in views]

    def _named(self, business_id: str, new: NewRelation, request: str | None) -> NewRelation:
        proposed = self.ids.ulid(self.clock.now())
        relation_id = (
            proposed if request is None else self.request_ids.id_for(business_id, f"relation-of#{request}", proposed)
        )
        return replace(new, relation_id=relation_id)

    def _address(self, business: Business, other: Customer | None, *, invite: bool | str) -> str:
        """Where to ask. Raises ``InvalidInputError`` and ``ConflictError``."""
        if invite is True:
            if other is None:
                raise InvalidInputError(
                    FieldError("invite", "Must be the email address of somebody who is no customer.")
                )
            address = other.email
        else:
            try:
                address = self.addresses.email(str(invite))
            except ValueError as error:
                raise InvalidInputError(FieldError("invite", str(error))) from None
        reason = "no_address" if address is None else self._reason(business, address)
        if address is None or reason is not None:
            raise ConflictError(
                "no_channel_left", f"Nobody can be asked by email there: {reason}.", reasons=[f"email: {reason}"]
            )
        return address

    def _reason(self, business: Business, address: str) -> str | None:
        key = ContactKey.of(business.business_id, Channel.EMAIL, address)
        contact = self.contacts.get_many([key])[key]
        if not contact.is_used:
            contact = self._as_asked_before(contact)
        next_try_at = None if contact.is_used else contact.next_try_at(business.policy)
        is_due = next_try_at is not None and next_try_at <= self.clock.now()
        if contact.verdict(business.policy).invalid and not is_due:
            return "invalid"
        if contact.consent.keeps_back(Scope.TRANSACTIONAL):
            return "opted_out"
        return "off" if business.barrier(Channel.EMAIL) is not None else None

    def _as_asked_before(self, contact: Contact) -> Contact:
        """The contact of an address that no customer has, with what the latest invitation told of it.

        Nothing else remembers that an email came back from there.
        """
        business_id = contact.key.business_id
        asked = self.relations.asked_at(business_id, contact.key.digest)
        key = MessageKey(business_id, asked.log_of, asked.message_id)
        message = self.messages.get_many([key]).get(key) if asked.version else None
        if message is None or message.status is not MessageStatus.BOUNCED or message.provider is None:
            return contact
        at = message.failed_at or self.clock.now()
        return contact.with_evidence(Failure(at, key.message_id, message.provider, message.provider_code or ""))


class AnswerInvitation(Struct, frozen=True, kw_only=True):
    """Shows what a link asks, and takes the answer, of which the first counts. Showing never changes anything."""

    service: RelationService
    reader: LinkReader
    customers: CustomerBook
    businesses: BusinessDirectory

    def show(self, token: str) -> InvitationView:
        """How it stands. Raises ``NotFoundError`` when it is no such link."""
        return self._view(self._open(token))

    def __call__(self, token: str, *, accepts: bool) -> InvitationView:
        """Take the answer, of which the first counts, and show how it stands then. Raises ``NotFoundError``."""
        return self._view(self._open(token), accepts=accepts)

    def _open(self, token: str) -> Link:
        link = self.reader.read(self.reader.token_behind(token), Purpose.RELATION)
        if link is None:
            raise NotFoundError("link")
        return link

    def _view(self, link: Link, *, accepts: bool | None = None) -> InvitationView:
        business_id = link.message.business_id
        business = self.businesses.get(business_id)
        stands = self.service.answer(business_id, link.message.message_id, accepts=accepts)
        asker = self._customer(business_id, stands.asker)
        # Of the customer who is asked, or of the one who asks somebody who is none.
        language = language_for(self._customer(business_id, link.message.customer_id) or asker, business)
        if stands.relation is None or asker is None:
            return InvitationView(business, language, InvitationState.CLOSED)
        return InvitationView(business, language, _STATES[stands.relation.status], asker.full_name)

    def _customer(self, business_id: str, customer_id: str | None) -> Customer | None:
        try:
            return None if customer_id is None else self.customers.get(business_id, customer_id)
        except NotFoundError:
            return None


_STATES: Final = {
    RelationStatus.PENDING: InvitationState.OPEN,
    RelationStatus.ACCEPTED: InvitationState.ACCEPTED,
    RelationStatus.DECLINED: InvitationState.DECLINED,
}
