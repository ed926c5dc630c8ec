"""What waits for a customer in the campaigns under way, worked out when somebody asks: nothing is written for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.businesses.domain.business import EMAIL_ACCOUNT, Business
from rebound.businesses.domain.quiet_hours import HoldReason, Whereabouts
from rebound.campaigns.domain.campaigns import Campaign, CampaignStatus, queued_message
from rebound.campaigns.domain.chunks import ChunkKey, ChunkState, RangeProgress, chunk_name
from rebound.customers.domain import Customer
from rebound.eligibility.application.frequency_reservations import known_frequencies
from rebound.eligibility.domain.eligibility import Decision, Exclusion, Hold, decide
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.ids import range_of
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.messages import Message
from rebound.segments.application.matching import settled
from rebound.segments.domain.selections import meant_by

if TYPE_CHECKING:
    from rebound.activity.ports import SummaryBook
    from rebound.businesses.ports import BusinessDirectory
    from rebound.campaigns.ports import CampaignBook, ChunkLedger, ExpansionLedger
    from rebound.contacts.domain.contacts import Contact
    from rebound.eligibility.ports import FrequencyBook
    from rebound.messages.ports import MessageLog
    from rebound.platform.ports import Clock
    from rebound.rates.ports import RateBook


class WaitReason(StrEnum):
    """Why a message of a campaign has not been handed over."""

    QUIET_HOURS = "quiet_hours"
    SEND_AT = "send_at"
    WINNER = "winner"
    """Which variant they get is tried on others first."""
    DAILY_QUOTA = "daily_quota"
    PAUSED = "paused"
    """Its campaign is paused, and nobody knows for how long."""
    TURN = "turn"
    """Nothing keeps it back: others come first."""


class Waiting(Struct, frozen=True):
    """A message that has no row in the log yet, with ``held_until`` where that is known."""

    message: Message
    because: WaitReason


class FindWaiting(Struct, frozen=True, kw_only=True):
    """Finds the messages that a customer will get from campaigns under way, unless something changes.

    For each campaign it reads how far the customer's range has been expanded and looks the customer's chunk up among
    those of the range, which are in order: some fifteen small reads where a campaign is for a million. Who has not been
    come to yet is decided about as the expansion will.
    """

    campaigns: CampaignBook
    businesses: BusinessDirectory
    expansion: ExpansionLedger
    chunks: ChunkLedger
    messages: MessageLog
    frequencies: FrequencyBook
    rates: RateBook
    clock: Clock
    whereabouts: Whereabouts
    summaries: SummaryBook

    def __call__(self, customer: Customer, contacts: Mapping[ContactKey, Contact]) -> Sequence[Waiting]:
        """What waits, in no order; ``contacts`` has those of the customer's addresses."""
        planned = [one for one in self.campaigns.under_way(customer.business_id) if one.run_id is not None]
        keys = {one.campaign_id: _key(one, customer) for one in planned}
        logged = self.messages.get_many(list(keys.values()), consistent=False) if planned else {}
        unsent = [one for one in planned if keys[one.campaign_id] not in logged]
        if not unsent:
            return ()
        business, now = self.businesses.get(customer.business_id), self.clock.now()
        found = (self._waiting(one, business, customer, contacts, now) for one in unsent)
        return [waiting for waiting in found if waiting is not None]

    def _waiting(
        self,
        campaign: Campaign,
        business: Business,
        customer: Customer,
        contacts: Mapping[ContactKey, Contact],
        now: datetime,
    ) -> Waiting | None:
        decision = self._decision(campaign, business, customer, contacts, now)
        if isinstance(decision, Exclusion) or not self._is_awaited(campaign, customer, contacts):
            return None
        because, until = self._reason(campaign, decision, now)
        address = customer.contact_key(campaign.channel)
        message = queued_message(
            campaign, _key(campaign, customer), campaign.started_at, "" if address is None else address.address
        )
        return Waiting(replace(message, held_until=until), because)

    def _decision(
        self,
        campaign: Campaign,
        business: Business,
        customer: Customer,
        contacts: Mapping[ContactKey, Contact],
        now: datetime,
    ) -> Decision:
        key = customer.contact_key(campaign.channel)
        contact = None if key is None else contacts.get(key)
        known = known_frequencies(self.frequencies, business, campaign, [customer.customer_id], consistent=False)
        frequency = known.get(customer.customer_id)
        return decide(customer, contact, business, campaign, now, frequency, self.whereabouts)

    def _reason(self, campaign: Campaign, decision: Decision, now: datetime) -> tuple[WaitReason, datetime | None]:
        if campaign.status is CampaignStatus.PAUSED:
            return WaitReason.PAUSED, None
        if campaign.channel is Channel.EMAIL:
            until = self.rates.current(EMAIL_ACCOUNT.name, now).stopped_until(now)
            if until is not None:
                return WaitReason(HoldReason.DAILY_QUOTA), until
        if isinstance(decision, Hold):
            return WaitReason(decision.because), decision.until
        return WaitReason.TURN, None

    def _is_awaited(self, campaign: Campaign, customer: Customer, contacts: Mapping[ContactKey, Contact]) -> bool:
        """Whether the campaign has yet to come to the customer, or has a chunk in which they remain to be sent to."""
        listed, customer_id = campaign.selection.customer_ids, customer.customer_id
        if listed is None:
            if not settled([customer], meant_by(campaign.selection), contacts, self.summaries)[customer_id]:
                return False
            progress = self.expansion.get(campaign.campaign_id, range_of(customer_id, campaign.ranges))
            is_ahead = not progress.done and (progress.cursor is None or progress.cursor < customer_id)
            return is_ahead or self._remains(campaign, progress, customer_id, str)
        places = {each: number for number, each in enumerate(listed)}
        if customer_id not in places:
            return False
        progress = self.expansion.get(campaign.campaign_id, 0)
        is_ahead = not progress.done and int(progress.cursor or 0) <= places[customer_id]
        return is_ahead or self._remains(campaign, progress, customer_id, places.__getitem__)

    def _remains[P: (str, int)](
        self, campaign: Campaign, progress: RangeProgress, customer_id: str, place: Callable[[str], P]
    ) -> bool:
        """Whether a chunk of the range has the customer among those still to be sent to; ``place`` is their order."""
        if customer_id in progress.carry:
            return True
        first, last = 0, progress.chunks
        while first < last:
            middle = (first + last) // 2
            name = chunk_name(progress.index, middle)
            chunk = self.chunks.get(ChunkKey(campaign.business_id, campaign.campaign_id, name))
            if chunk is None:
                return False
            if place(chunk.customer_ids[-1]) < place(customer_id):
                first = middle + 1
            elif place(customer_id) < place(chunk.customer_ids[0]):
                last = middle
            else:
                return chunk.state is not ChunkState.DONE and customer_id in chunk.remaining
        return False


def _key(campaign: Campaign, customer: Customer) -> MessageKey:
    return MessageKey(campaign.business_id, customer.customer_id, campaign.message_id(customer.customer_id))
