"""What would become of a message, as things stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.businesses.domain.quiet_hours import Whereabouts
from rebound.eligibility.application.frequency_reservations import known_frequencies
from rebound.eligibility.domain.cases import Case
from rebound.eligibility.domain.eligibility import Decision, Exclusion, Hold, decision_on

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.campaigns.domain.campaigns import Campaign
    from rebound.contacts.ports import ContactBook
    from rebound.eligibility.ports import FrequencyBook
    from rebound.platform.ports import Clock
    from rebound.sending.domain.single_messages import Posted


class ForeseenMessage(Struct, frozen=True):
    """The decision about a message, and whether it goes by email because the text plan has no room for it."""

    decision: Decision
    falls_back: bool = False


class ForeseeMessage(Struct, frozen=True, kw_only=True):
    """Takes the decision about a message on what is known now; it is taken again when the message is due."""

    contacts: ContactBook
    frequencies: FrequencyBook
    whereabouts: Whereabouts
    clock: Clock

    def __call__(self, posted: Posted, *, has_room: bool = True) -> ForeseenMessage:
        """The decision as it would be now; ``has_room`` says whether the text plan has any left for it this month."""
        if posted.message.fell_back is not None:
            return self._by_email(posted)
        decision = self._decision(posted, posted.carrier)
        if has_room or isinstance(decision, Exclusion) or self._is_of_another_month(posted.business, decision):
            return ForeseenMessage(decision)
        return self._by_email(posted)

    def _by_email(self, posted: Posted) -> ForeseenMessage:
        """What the sender will find of a text for which there is no room."""
        decision = self._decision(posted, posted.carrier.by_email)
        if isinstance(decision, Exclusion) and posted.message.fell_back is None:
            return ForeseenMessage(Exclusion.TEXT_PLAN_EXHAUSTED)
        return ForeseenMessage(decision, falls_back=True)

    def _is_of_another_month(self, business: Business, decision: Decision) -> bool:
        now = business.local_day(self.clock.now())
        due = business.local_day(decision.until) if isinstance(decision, Hold) else now
        return (due.year, due.month) != (now.year, now.month)

    def _decision(self, posted: Posted, carrier: Campaign) -> Decision:
        customer = posted.customer
        key = customer.contact_key(carrier.channel)
        contact = self.contacts.get_many([key])[key] if key is not None else None
        known = known_frequencies(self.frequencies, posted.business, carrier, [customer.customer_id], consistent=False)
        frequency, now = known.get(customer.customer_id), self.clock.now()
        return decision_on(Case(customer, contact, posted.business, carrier, now, frequency, self.whereabouts))
