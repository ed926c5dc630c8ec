"""The decision before sending: who of a claimed chunk gets the message, on the data as it is now (truth 6)."""

from __future__ import annotations

from collections.abc import Sequence
from copy import replace
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.businesses.domain.frequency import Frequency
from rebound.businesses.domain.quiet_hours import Whereabouts
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import Tried
from rebound.customers.domain import Customer
from rebound.eligibility.application.frequency_reservations import known_frequencies
from rebound.eligibility.application.shared_addresses import can_be_rendered_for
from rebound.eligibility.domain.cases import Case
from rebound.eligibility.domain.eligibility import Exclusion, Hold, Send, decide, decision_on
from rebound.kernel.retrying import retried_from
from rebound.messages.domain.messages import Message
from rebound.sending.application.take_turns import Turn
from rebound.sending.domain.outcomes import NotTried, Outcomes
from rebound.sending.domain.recipients import ClaimedChunk, Recipient, cannot_render, left_out

if TYPE_CHECKING:
    from rebound.campaigns.domain.campaigns import Campaign
    from rebound.contacts.ports import ContactBook
    from rebound.customers.ports import CustomerBook
    from rebound.eligibility.application.frequency_reservations import FrequencyReservations
    from rebound.eligibility.ports import FrequencyBook
    from rebound.platform.ports import Clock
    from rebound.sending.application.take_turns import TakeTurns


class DecideRecipients(Struct, frozen=True, kw_only=True):
    """Decides about the recipients of a chunk, and reserves what each message needs right before it is sent."""

    customers: CustomerBook
    contacts: ContactBook
    frequencies: FrequencyBook
    reservations: FrequencyReservations
    whereabouts: Whereabouts
    clock: Clock
    take_turns: TakeTurns

    def __call__(self, claimed: ClaimedChunk, customer_ids: Sequence[str], booked: int) -> Outcomes:
        """Read the data and decide; at most ``booked`` recipients are to be sent to.

        The hand-overs that caps count may be a moment old, because each message must still reserve room (``reserve``).
        """
        campaign, business = claimed.campaign.before_holdout, claimed.business
        customers = claimed.made_up or claimed.spoken_to(self.customers.get_many(business.business_id, customer_ids))
        keys = {c: claimed.decided(customer).contact_key(campaign.channel) for c, customer in customers.items()}
        contacts = self.contacts.get_many({key for key in keys.values() if key is not None})
        # A reservation is a conditional write and reads again if this read was stale, so half the price will do.
        capped = [] if campaign.copy_to is not None else list(customers)
        frequencies = known_frequencies(self.frequencies, business, campaign, capped, consistent=False)
        outcomes = Outcomes(customers=customers)
        for customer_id in customer_ids:
            customer, key = customers.get(customer_id), keys.get(customer_id)
            message = claimed.message(customer_id, customer)
            if customer is None:
                outcomes.by_customer[customer_id] = left_out(message, Exclusion.NOT_FOUND)
                continue
            contact, frequency = contacts[key] if key is not None else None, frequencies.get(customer_id)
            case = self._case(claimed, customer, contact, frequency, campaign)
            decision = decision_on(case)
            if not isinstance(decision, Send):
                outcomes.by_customer[customer_id] = _kept_from_sending(case, decision, message)
            elif booked == 0:
                outcomes.by_customer[customer_id] = NotTried.UNBOOKED
            else:
                booked -= 1
                address, is_try = decision.address, decision.is_try
                outcomes.by_customer[customer_id] = Recipient(message, customer, address, contact, is_try, frequency)
        turns = self.take_turns(claimed, outcomes.to_send, self.clock.now())
        for recipient in outcomes.to_send if turns else ():
            match turns.get(recipient.customer_id):
                case Turn.MADE_WAY:
                    outcomes[recipient] = left_out(recipient.message, Exclusion.SAME_ADDRESS)
                case Turn.CLAIM if recipient.contact is not None:
                    outcomes[recipient] = replace(recipient, shared_address=recipient.contact.key.digest)
        if campaign is not claimed.campaign:
            self._hold_out(claimed, outcomes)
        return outcomes

    def _hold_out(self, claimed: ClaimedChunk, outcomes: Outcomes) -> None:
        """Leave out those who are held out of all to whom it would be sent; an address that others have is held too."""
        campaign, business = claimed.campaign, claimed.business
        for recipient in outcomes.to_send:
            customer = recipient.customer
            decision = decision_on(self._case(claimed, customer, recipient.contact, recipient.frequency))
            if decision is not Exclusion.HOLDOUT:
                continue
            if not can_be_rendered_for(campaign, customer, business):
                outcomes[recipient] = cannot_render(recipient.message)
            elif recipient.shared_address is not None and not self.take_turns.claim(claimed, recipient):
                outcomes[recipient] = left_out(recipient.message, Exclusion.SAME_ADDRESS)
            else:
                # From now on they are compared with those who got it.
                held_out = replace(recipient.message, queued_at=self.clock.now())
                outcomes[recipient] = left_out(held_out, decision)

    def again(self, claimed: ClaimedChunk, recipient: Recipient) -> Recipient | Message | Hold:
        """Decide once more on the data read before, if the time that has passed may make a difference."""
        campaign, business = claimed.campaign, claimed.business
        if campaign.expires_at is None and business.quiet_hours.window(campaign.channel, campaign.category) is None:
            return recipient
        case = self._case(claimed, recipient.customer, recipient.contact, recipient.frequency)
        decision = decision_on(case)
        return recipient if isinstance(decision, Send) else _kept_from_sending(case, decision, recipient.message)

    def reserve(self, claimed: ClaimedChunk, recipient: Recipient) -> Recipient | Message:
        """Reserve what the message needs, right before it is handed over; the message as left out when that fails.

        It may need to be the one at its address, room under the caps and the try that is due; a recipient who needs
        none of them costs nothing. A claim to the address is not given back: whoever claimed it and was not handed the
        message is found when everybody else is accounted for (``RecallRecipients``). Raises ``ConcurrentChangeError``
        when others keep writing: then nothing may be sent.
        """
        if recipient.shared_address is not None and not self.take_turns.claim(claimed, recipient):
            return left_out(recipient.message, Exclusion.SAME_ADDRESS)
        if recipient.frequency is None and not recipient.is_try:
            return recipient
        attempt = claimed.chunk.attempts
        case = self._case(claimed, recipient.customer, recipient.contact, recipient.frequency)
        free_again_at = self.reservations.reserve(case, attempt)
        if free_again_at is not None:
            return left_out(recipient.message, Exclusion.FREQUENCY_CAP, free_again_at)
        lost = self._reserve_try(claimed, recipient)
        if lost is not None:
            self.reservations.release(claimed.business, claimed.campaign, [recipient.customer_id], attempt)
        return lost or recipient

    def _case(
        self,
        claimed: ClaimedChunk,
        customer: Customer,
        contact: Contact | None,
        frequency: Frequency | None,
        campaign: Campaign | None = None,
    ) -> Case:
        campaign, now = campaign or claimed.campaign, self.clock.now()
        return Case(claimed.decided(customer), contact, claimed.business, campaign, now, frequency, self.whereabouts)

    def _reserve_try(self, claimed: ClaimedChunk, recipient: Recipient) -> Message | None:
        """Reserve the try that is due; returns the message as left out when another message has the try.

        A try is written only to a contact that is still as it was read, so only one sender gets it. A sender that loses
        that race reads again and decides again. A sender that comes back to a chunk finds its own try and goes on.
        """
        contact, message_id = recipient.contact, recipient.message.key.message_id
        if contact is None or not recipient.is_try:
            return None

        def write(known: Contact) -> Message | None:
            now = self.clock.now()
            customer = claimed.decided(recipient.customer)
            decision = decide(customer, known, claimed.business, claimed.campaign, now, whereabouts=self.whereabouts)
            if isinstance(decision, Exclusion):
                return left_out(recipient.message, decision)
            send = decision.send if isinstance(decision, Hold) else decision
            tried = known.reachability.tried
            if send.is_try and (tried is None or tried.message_id != message_id):
                self.contacts.save(known.with_evidence(Tried(now, message_id)))
            return None

        return retried_from(contact, write, lambda: self.contacts.get_many([contact.key])[contact.key])


def _kept_from_sending(case: Case, decision: Hold | Exclusion, message: Message) -> Message | Hold:
    """The hold, or the message as left out with what is known about the reason."""
    match decision:
        case Hold():
            return decision
        case Exclusion.FREQUENCY_CAP:
            return left_out(message, decision, case.free_again_at)
        case Exclusion.CHANNEL_OFF:
            return left_out(message, decision, barrier=case.barrier)
        case _:
            return left_out(message, decision)
