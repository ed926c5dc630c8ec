"""The life of a chunk in the hands of a sender: claimed, marked, and finished or put back (truth 8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.quiet_hours import HoldReason
from rebound.campaigns.domain.campaigns import HALTED, CampaignStatus
from rebound.campaigns.domain.chunks import ChunkKey, ClaimOutcome
from rebound.eligibility.domain.eligibility import Hold
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConcurrentChangeError, ReboundError
from rebound.kernel.provider_codes import Provider
from rebound.kernel.retrying import ATTEMPTS
from rebound.messages.application.load_content import loaded
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.sending.application.acquire_send_slot import SlotResult
from rebound.sending.domain.chunk_tasks import ChunkTask, lane_of
from rebound.sending.domain.outcomes import NotTried, Outcomes
from rebound.sending.domain.recipients import ClaimedChunk, without_record

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.campaigns.application.count_results import TripBreaker
    from rebound.campaigns.domain.campaigns import Campaign
    from rebound.campaigns.domain.chunks import Chunk
    from rebound.campaigns.domain.gates import Gate
    from rebound.campaigns.ports import CampaignBook, ChunkLedger, SequenceGates
    from rebound.customers.ports import CustomerBook
    from rebound.eligibility.application.frequency_reservations import FrequencyReservations
    from rebound.messages.ports import MessageLog
    from rebound.platform.ports import Clock
    from rebound.sending.application.hold_chunk import HoldChunk
    from rebound.sending.ports import ChunkQueue
    from rebound.templates.application.template_contents import TemplateContents
    from rebound.text_plans.application.meter_texts import MeterTexts

LEASE: Final = timedelta(seconds=150)
"""Longer than a sender's function may run, so a lease that has run out means that its worker is dead."""


class ChunkHeldError(ReboundError):
    """Another worker has the chunk: leave the queue message for later, in case that worker dies."""


class ChunkLifecycle(Struct, frozen=True, kw_only=True):
    """Claims a chunk for a sender, and ends the attempt at it so that nobody is lost and nobody is sent to twice."""

    chunks: ChunkLedger
    campaigns: CampaignBook
    sequence_gates: SequenceGates
    businesses: BusinessDirectory
    customers: CustomerBook
    messages: MessageLog
    queue: ChunkQueue
    hold: HoldChunk
    reservations: FrequencyReservations
    breaker: TripBreaker
    meter: Callable[[], MeterTexts]
    clock: Clock
    template_contents: TemplateContents

    def claim(self, key: ChunkKey, owner: str, slot: SlotResult) -> ClaimedChunk | None:
        """Claim a chunk; ``None`` when it is done, or its slot allows no work on it. Raises ``ChunkHeldError``."""
        if slot is SlotResult.NOTHING:
            return None
        outcome, chunk = self.chunks.claim(key, owner, self.clock.now(), LEASE)
        if outcome is ClaimOutcome.DONE:
            return None
        if outcome is ClaimOutcome.HELD:
            raise ChunkHeldError
        campaign = loaded(self.campaigns.get(key.business_id, key.campaign_id), self.template_contents)
        business = self.businesses.get(key.business_id)
        standing = campaign.of_chunk(chunk, self._gate(campaign))
        claimed = ClaimedChunk.under(business, chunk, standing, settle=outcome is ClaimOutcome.SETTLE)
        if slot is SlotResult.SETTLE and not claimed.settle:
            # The worker that was handing it over has put it back since, so its turn is yet to come.
            self._come_again(claimed, chunk.remaining)
            return None
        return claimed

    def unrecorded(self, claimed: ClaimedChunk) -> Sequence[str]:
        """Recipients without a recorded outcome; those whom an earlier attempt left out stay left out."""
        return claimed.unrecorded(self.known_of_earlier(claimed))

    def known_of_earlier(self, claimed: ClaimedChunk) -> Mapping[str, Message]:
        """What earlier attempts have recorded, by customer; nothing is read at the first attempt."""
        return {} if claimed.chunk.attempts <= 1 else self.known(claimed)

    def known(self, claimed: ClaimedChunk) -> Mapping[str, Message]:
        """The messages of the chunk that have a row, by customer."""
        keys = [claimed.message_key(customer_id) for customer_id in claimed.chunk.remaining]
        return {key.customer_id: message for key, message in self.messages.get_many(keys).items()}

    def is_halted(self, claimed: ClaimedChunk) -> bool:
        """Whether the campaign may not hand over anything at this moment."""
        return self._status(claimed) in HALTED

    def mark(self, claimed: ClaimedChunk, waiting: Sequence[str] = ()) -> None:
        """Mark the chunk: from now on, all but ``waiting`` may have been sent to. Raises ``ConcurrentChangeError``."""
        self.chunks.mark(claimed.chunk, self.clock.now(), waiting)

    def settle(self, claimed: ClaimedChunk, lost: Sequence[str], again: Sequence[str], provider: Provider) -> None:
        """End an attempt that died: the ``lost`` become ``uncertain``, and the chunk comes again for ``again``."""
        self.messages.record([without_record(message, provider) for message in self._queued(claimed, lost)])
        self._come_again(claimed, again)

    def halt(self, claimed: ClaimedChunk, customer_ids: Sequence[str]) -> None:
        """Set aside recipients who have not been handed over, or cancel them if the campaign is cancelled.

        A resume first changes the status and then looks for chunks that are set aside. It may look before this chunk is
        put back; so the status is read again, and a chunk whose campaign is no longer paused is queued at once. What
        carries a sequence's messages is looked at only where it says that chunks were set aside, so it says so first.
        """
        self.release_earlier(claimed, customer_ids)
        if self._status(claimed) is CampaignStatus.CANCELLED:
            # A message to one person was cancelled for a reason, a campaign for none.
            queued, reason = self._queued(claimed, customer_ids), claimed.campaign.failure
            ended = MessageStatus.CANCELLED
            self.messages.record([replace(m, status=ended, reason=reason, held_until=None) for m in queued])
            self.chunks.finish(claimed.chunk)
            return
        self.chunks.put_back(claimed.chunk, customer_ids)
        if not self._is_set_aside(claimed):
            self.queue.put(claimed.campaign.channel, [claimed.task(customer_ids)])

    def finish(self, claimed: ClaimedChunk, outcomes: Outcomes) -> None:
        """End the attempt as its outcomes require.

        The chunk is finished if nobody is left; otherwise it comes again for those who are left, at their hour if all
        of them wait for one. If the campaign is to pause, it is paused at once and those who are left are set aside.
        """
        left, held = outcomes.left, outcomes.held
        if outcomes.pause_because is not None:
            key = claimed.chunk.key
            self.breaker.trip(key.business_id, key.campaign_id, outcomes.pause_because)
            self.halt(claimed, left)
        elif len(left) > len(held):
            self.release_earlier(claimed, left)
            self.chunks.put_back(claimed.chunk, left)
            delay = outcomes.retry_after(claimed.chunk.attempts)
            self.queue.put(claimed.campaign.channel, [claimed.task(left)], delay)
        elif held:
            self._defer(claimed, held)
        else:
            self.chunks.finish(claimed.chunk)

    def _come_again(self, claimed: ClaimedChunk, customer_ids: Sequence[str]) -> None:
        """End an attempt that has tried nobody: the chunk takes another turn for ``customer_ids``, or is finished."""
        self.finish(claimed, Outcomes(dict.fromkeys(customer_ids, NotTried.UNBOOKED)))

    def _defer(self, claimed: ClaimedChunk, held: Mapping[str, Hold]) -> None:
        """Keep a chunk off its lane until the hour of the first recipient who waits for one.

        A cancellation may have looked for chunks before this one was put back; the chunk then goes to its lane at once.
        """
        key, channel = claimed.chunk.key, claimed.campaign.channel
        hours = {hold.until: hold.because for hold in held.values() if hold.because is not HoldReason.WINNER}
        if not hours:
            self._await_winner(claimed, list(held))
            return
        not_before = min(hours)
        size = sum(hold.until == not_before for hold in held.values())
        if claimed.campaign.single:
            queued = [m for m in self.known(claimed).values() if m.status is MessageStatus.QUEUED]
            self.messages.advance([(message, replace(message, held_until=not_before)) for message in queued])
        else:
            self.chunks.note_holds(key.campaign_id, hours)
        self.chunks.put_back(claimed.chunk, list(held), not_before)
        task, now = ChunkTask(key, size, lane_of(claimed.campaign)), self.clock.now()
        self.hold(claimed.campaign, task, not_before, now, claimed.business.version)
        if self._status(claimed) is CampaignStatus.CANCELLED:
            self.queue.put(channel, [task])

    def _await_winner(self, claimed: ClaimedChunk, customer_ids: Sequence[str]) -> None:
        """Set aside a chunk of which all wait for the winner: it is on no queue until that is chosen.

        Whoever chooses writes that first and then looks for such chunks, perhaps before this one is put back; so the
        campaign is read again. The same goes for a cancellation.
        """
        key = claimed.chunk.key
        self.chunks.put_back(claimed.chunk, customer_ids)
        campaign = self.campaigns.get(key.business_id, key.campaign_id)
        awaits = campaign.split is not None and campaign.split.awaited_at is not None
        if not awaits or campaign.status is CampaignStatus.CANCELLED:
            self.queue.put(claimed.campaign.channel, [claimed.task(customer_ids)])

    def release(self, claimed: ClaimedChunk, customer_ids: Sequence[str]) -> None:
        """Release what is reserved, under the caps and of the text plan, for messages that are known not to be out.

        Called before the outcome is recorded: a death between the two leaves an ``uncertain`` message without its
        reservation. In the other order, the reservation of a message that was never sent would stay.
        """
        self.reservations.release(claimed.business, claimed.campaign, customer_ids, claimed.chunk.attempts)
        self.release_segments(claimed, customer_ids)

    def release_earlier(self, claimed: ClaimedChunk, customer_ids: Sequence[str]) -> None:
        """Release what earlier attempts that died have reserved, and the segments that this one has."""
        if claimed.chunk.attempts > 1:
            self.release(claimed, customer_ids)
        else:
            self.release_segments(claimed, customer_ids)

    def release_segments(self, claimed: ClaimedChunk, customer_ids: Sequence[str]) -> None:
        """Release what is reserved of the text plan; they are reserved for many at once, before the first is sent."""
        if claimed.business.text_plan is not None and claimed.campaign.channel is Channel.SMS:
            self.meter().release(claimed.business, map(claimed.message_key, customer_ids))

    def _is_set_aside(self, claimed: ClaimedChunk) -> bool:
        """Whether who resumes finds a chunk that is put back; ``False`` where nothing is paused any more."""
        for _ in range(ATTEMPTS):
            campaign, gate = self._now(claimed.chunk)
            if campaign.of_chunk(claimed.chunk, gate).status is not CampaignStatus.PAUSED:
                return False
            # Read after the campaign: whoever opens the gate after that reads what the campaign says now.
            if gate is None or gate.is_open or campaign.aside == gate.version:
                return True
            with suppress(ConcurrentChangeError):
                self.campaigns.replace(campaign, replace(campaign, aside=gate.version))
        raise ConcurrentChangeError

    def _status(self, claimed: ClaimedChunk) -> CampaignStatus:
        campaign, gate = self._now(claimed.chunk)
        return campaign.of_chunk(claimed.chunk, gate).status

    def _now(self, chunk: Chunk) -> tuple[Campaign, Gate | None]:
        campaign = self.campaigns.get(chunk.key.business_id, chunk.key.campaign_id)
        return campaign, self._gate(campaign)

    def _gate(self, campaign: Campaign) -> Gate | None:
        """Nothing is read for what no sequence sends."""
        sequence_id = campaign.sequence_id
        return None if sequence_id is None else self.sequence_gates.get(campaign.business_id, sequence_id)

    def _queued(self, claimed: ClaimedChunk, customer_ids: Sequence[str]) -> Sequence[Message]:
        if claimed.campaign.single and (known := self.known(claimed)):
            return [known[customer_id] for customer_id in customer_ids if customer_id in known]
        customers = claimed.made_up or self.customers.get_many(claimed.business.business_id, customer_ids)
        return [claimed.message(customer_id, customers.get(customer_id)) for customer_id in customer_ids]
