"""One customer and one mailing to decide about, with what the rules ask of them."""

from datetime import datetime

from msgspec import Struct

from rebound.businesses.domain.allowed_hours import first_allowed
from rebound.businesses.domain.business import Barrier, Business
from rebound.businesses.domain.frequency import Frequency, HandOver
from rebound.businesses.domain.quiet_hours import Whereabouts
from rebound.contacts.domain.contacts import Contact
from rebound.customers.domain import Customer
from rebound.eligibility.domain.places import Places, nowhere
from rebound.kernel.consent_words import Scope
from rebound.kernel.local_time import first_instant_of
from rebound.messages.domain.mailing import Mailing
from rebound.templates.domain.content import TemplateContent


class Case(Struct, frozen=True):
    """One customer and one campaign to decide about.

    ``contact`` is that of the customer's address on the mailing's channel; ``None`` when nothing is known of it.
    ``frequency`` holds the customer's recent hand-overs; when it is ``None``, no cap leaves the customer out.
    ``goes_to`` is the other customer who gets the message at the same address; ``None`` when nobody goes first.
    """

    customer: Customer
    contact: Contact | None
    business: Business
    mailing: Mailing
    now: datetime
    frequency: Frequency | None = None
    whereabouts: Whereabouts = nowhere
    goes_to: str | None = None

    @property
    def places(self) -> Places:
        """Where the customer may be: by the profile, else by the mobile number, else where the business is.

        A number that may belong to several zones does not say to which one. The business's clock is taken then, and the
        nights of all these zones and of the business's count.
        """
        own, number = self.customer.time_zone, self.customer.mobile_phone
        if own is not None:
            return Places(frozenset({own}), own)
        zones = self.whereabouts(number) if number is not None else frozenset()
        if len(zones) == 1:
            [zone] = zones
            return Places(zones, zone)
        return Places(zones | {self.business.time_zone}, self.business.time_zone)

    @property
    def wanted_at(self) -> datetime:
        """When the message is to go out: now, or at the mailing's time (``local_time`` by the customer's clock)."""
        mailing = self.mailing
        if mailing.local_time is not None:
            return max(self.now, first_instant_of(mailing.local_time, self.places.zone))
        return max(self.now, mailing.send_at or self.now)

    @property
    def allowed_at(self) -> datetime | None:
        """The first moment from ``wanted_at`` on that is quiet in none of the zones; ``None`` if there is none."""
        window = self.business.quiet_hours.window(self.mailing.channel, self.mailing.category)
        return self.wanted_at if window is None else first_allowed(self.wanted_at, window, self.places.zones)

    @property
    def said(self) -> Mailing:
        """The mailing as it says something to the customer."""
        return self.mailing.for_customer(self.customer.customer_id)

    @property
    def address(self) -> str | None:
        """Where the message would go, as the customer writes it."""
        return self.customer.address(self.mailing.channel)

    @property
    def barrier(self) -> Barrier | None:
        """What in the business's settings keeps the message back."""
        mailing = self.mailing
        return self.business.barrier(
            mailing.channel, asks_confirmation=mailing.asks_confirmation, lacks_stop_url=self.lacks_stop_url
        )

    @property
    def lacks_stop_url(self) -> bool:
        """Whether the message is a text that sells, from a name, and has no link to stop such texts with."""
        if self.business.can_be_texted or (content := self.said.content) is None:
            return False
        # What shows messages needs nothing that renders them.
        from rebound.templates.domain.rendering import lacks_stop_url  # noqa: PLC0415

        return lacks_stop_url(content, self.mailing.category)

    @property
    def missing_variables(self) -> tuple[str, ...]:
        """The variables that the message's template requires and that say nothing for this customer."""
        said = self.said
        content = said.content
        if not isinstance(content, TemplateContent) or not content.declared:
            return ()
        # Likewise.
        from rebound.templates.domain.sendable import missing_for  # noqa: PLC0415

        return missing_for(content, self.customer, self.business, said.more_values)

    @property
    def opted_out_of(self) -> Scope | None:
        """The widest scope that the address has opted out of and this message needs."""
        opted_out = self.contact.consent.opted_out if self.contact is not None else ()
        return next((scope for scope in opted_out if scope in self.mailing.scopes), None)

    @property
    def next_try_at(self) -> datetime | None:
        """When the flagged address may be tried again with such a message; ``None`` when no schedule applies."""
        if self.contact is None or not self.business.recovery.governs(self.mailing.category):
            return None
        return self.contact.next_try_at(self.business.policy)

    @property
    def try_is_due(self) -> bool:
        """Whether there is a schedule and it lets this message through, as the next try or the one that has begun."""
        due = self.next_try_at
        return due is not None and (due <= self.now or self._has_begun)

    @property
    def _has_begun(self) -> bool:
        """Whether the try on the contact is this very message: its sender wrote the try down and did not finish.

        Where an address gets one message for all who share it, the try is that of any of them.
        """
        tried = self.contact.reachability.tried if self.contact is not None else None
        if self.contact is None or tried is None or self.mailing.run_id is None:
            return False
        sharing = self.contact.customer_ids if self.mailing.once_per_address else ()
        return any(
            tried.message_id == self.mailing.message_id(customer_id)
            for customer_id in {self.customer.customer_id, *sharing}
        )

    @property
    def hand_over(self) -> HandOver:
        """The message as caps look at it; its id is empty while the mailing has no ``run_id``."""
        mailing = self.mailing
        message_id = mailing.message_id(self.customer.customer_id) if mailing.run_id is not None else ""
        return HandOver(message_id, self.now, mailing.category, mailing.channel, mailing.selection.segment_id)

    @property
    def free_again_at(self) -> datetime | None:
        """When the caps will have room for the message; ``None`` when they have room now."""
        if self.frequency is None:
            return None
        return self.frequency.free_again_at(self.business.frequency_caps, self.hand_over)
