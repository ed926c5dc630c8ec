"""The decision before sending: who of a claimed chunk gets the message, on the data as it is now (truth 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.contacts.domain.reachability import Tried
from rebound.eligibility.application.frequency_desk import known_frequencies
from rebound.eligibility.domain.eligibility import Case, Exclusion, Hold, Send, decide
from rebound.kernel.errors import ConcurrentChangeError
from rebound.sending.domain.outcomes import Recipient, left_out

if TYPE_CHECKING:
    from rebound.businesses.domain.quiet_hours import Whereabouts
    from rebound.contacts.ports import ContactBook
    from rebound.customers.ports import CustomerBook
    from rebound.eligibility.application.frequency_desk import FrequencyDesk
    from rebound.eligibility.domain.eligibility import Decision
    from rebound.eligibility.ports import FrequencyBook
    from rebound.messages.domain.messages import Message
    from rebound.platform.ports import Clock
    from rebound.sending.domain.outcomes import ClaimedChunk

ATTEMPTS: Final = 8
"""How often a contact that others write at the same time is read and decided upon again."""


class Decided(Struct, frozen=True):
    """A chunk's recipients after the second decision.

    Who is in ``held`` waits for their hour. ``beyond`` are those for whom nothing was booked: some had waited for a
    later hour, which has come as well.
    """

    recipients: tuple[Recipient, ...]
    excluded: tuple[Message, ...]
    held: Mapping[str, Hold]
    beyond: tuple[str, ...]


class DecideRecipients(Struct, frozen=True, kw_only=True):
    """Decides about the recipients of a chunk, and reserves what a message needs to itself right before it is sent."""

    customers: CustomerBook
    contacts: ContactBook
    frequencies: FrequencyBook
    reservations: FrequencyDesk
    whereabouts: Whereabouts
    clock: Clock

    def __call__(self, claimed: ClaimedChunk, customer_ids: Sequence[str], booked: int) -> Decided:
        """Read the data and decide; no more than ``booked`` are to be sent to.

        Only what a cap counts may be a moment old: who is to be sent to must take a place (``reserve``).
        """
        campaign, business = claimed.campaign, claimed.business
        customers = self.customers.get_many(business.business_id, customer_ids)
        keys = {c: customer.contact_key(campaign.channel) for c, customer in customers.items()}
        contacts = self.contacts.get_many({key for key in keys.values() if key is not None})
        # A place is taken by a write on what was read, and whoever read too early reads again: half the price will do.
        frequencies = known_frequencies(self.frequencies, business, campaign, list(customers), consistent=False)
        recipients: list[Recipient] = []
        excluded: list[Message] = []
        held: dict[str, Hold] = {}
        beyond: list[str] = []
        for customer_id in customer_ids:
            customer, key = customers.get(customer_id), keys.get(customer_id)
            message = claimed.message(customer_id, customer)
            contact = contacts[key] if key is not None else None
            frequency, now = frequencies.get(customer_id), self.clock.now()
            decision = decide(customer, contact, business, campaign, now, frequency, self.whereabouts)
            match decision:
                case Send() if len(recipients) == booked:
                    beyond.append(customer_id)
                case Send(address, is_try) if customer is not None:
                    recipients.append(Recipient(message, customer, address, contact, is_try, frequency))
                case Exclusion.FREQUENCY_CAP if customer is not None:
                    case_ = Case(customer, contact, business, campaign, now, frequency)
                    excluded.append(left_out(message, Exclusion.FREQUENCY_CAP, case_.free_again_at))
                case Hold():
                    held[customer_id] = decision
                case reason:
                    barrier = None
                    if reason is Exclusion.CHANNEL_OFF:
                        barrier = business.barrier(message.channel, asks_confirmation=message.asks_confirmation)
                    excluded.append(left_out(message, str(reason), barrier=barrier))
        return Decided(tuple(recipients), tuple(excluded), held, tuple(beyond))

    def again(self, claimed: ClaimedChunk, recipient: Recipient) -> Decision:
        """Decide once more, on the data as it was read, where time may have made a difference since."""
        campaign, business = claimed.campaign, claimed.business
        if campaign.expires_at is None and business.quiet_hours.window(campaign.channel, campaign.category) is None:
            return Send(recipient.address, recipient.is_try)
        customer, contact, now = recipient.customer, recipient.contact, self.clock.now()
        return decide(customer, contact, business, campaign, now, recipient.frequency, self.whereabouts)

    def reserve(self, claimed: ClaimedChunk, recipient: Recipient) -> Message | None:
        """Take what the message needs to itself, right before it is handed over; as left out when it cannot have it.

        That is a place under the caps, and the try that is due. Costs nothing for a recipient who needs neither. Raises
        ``ConcurrentChangeError`` when others keep writing, and then nothing may be sent.
        """
        case = Case(
            recipient.customer,
            recipient.contact,
            claimed.business,
            claimed.campaign,
            self.clock.now(),
            recipient.frequency,
        )
        attempt = claimed.chunk.attempts
        free_again_at = self.reservations.take(case, attempt)
        if free_again_at is not None:
            return left_out(recipient.message, Exclusion.FREQUENCY_CAP, free_again_at)
        lost = self._reserve_try(claimed, recipient)
        if lost is not None:
            self.reservations.give_back(claimed.business, claimed.campaign, [recipient.customer_id], attempt)
        return lost

    def _reserve_try(self, claimed: ClaimedChunk, recipient: Recipient) -> Message | None:
        """Take a try that is due; the message as left out when somebody else has it.

        A try is written to the contact as it was read, so that of all who are about to send to it only one may. Whoever
        loses the race reads again and decides again. A sender that comes back to a chunk finds its own try and goes on.
        """
        contact, message_id = recipient.contact, recipient.message.key.message_id
        if contact is None or not recipient.is_try:
            return None
        for _ in range(ATTEMPTS):
            now = self.clock.now()
            decision = decide(
                recipient.customer, contact, claimed.business, claimed.campaign, now, whereabouts=self.whereabouts
            )
            if isinstance(decision, Exclusion):
                return left_out(recipient.message, str(decision))
            send = decision.send if isinstance(decision, Hold) else decision
            tried = contact.reachability.tried
            if not send.is_try or (tried is not None and tried.message_id == message_id):
                return None
            try:
                self.contacts.save(contact.knowing(Tried(now, message_id)))
            except ConcurrentChangeError:
                contact = self.contacts.get_many([contact.key])[contact.key]
            else:
                return None
        raise ConcurrentChangeError
