"""What would become of a message, as things stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.businesses.domain.quiet_hours import Whereabouts
from rebound.eligibility.application.frequency_reservations import known_frequencies
from rebound.eligibility.domain.eligibility import Case, Decision, decision_on

if TYPE_CHECKING:
    from rebound.contacts.ports import ContactBook
    from rebound.eligibility.ports import FrequencyBook
    from rebound.platform.ports import Clock
    from rebound.sending.domain.single_messages import Posted


class ForeseeMessage(Struct, frozen=True, kw_only=True):
    """Takes the decision about a message on what is known now; it is taken again when the message is due."""

    contacts: ContactBook
    frequencies: FrequencyBook
    whereabouts: Whereabouts
    clock: Clock

    def __call__(self, posted: Posted) -> Decision:
        """The decision as it would be now."""
        carrier, customer = posted.carrier, posted.customer
        key = customer.contact_key(carrier.channel)
        contact = self.contacts.get_many([key])[key] if key is not None else None
        known = known_frequencies(self.frequencies, posted.business, carrier, [customer.customer_id], consistent=False)
        frequency, now = known.get(customer.customer_id), self.clock.now()
        return decision_on(Case(customer, contact, posted.business, carrier, now, frequency, self.whereabouts))
