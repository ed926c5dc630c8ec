"""Recalling those who were left out for another customer at their address who did not get the message in the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from copy import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.campaigns.domain.addresses import SharedAddress
from rebound.campaigns.domain.campaigns import ENDED, Campaign
from rebound.campaigns.domain.chunks import ChunkKey, ChunkState
from rebound.eligibility.domain.eligibility import Exclusion
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.messages import Message, MessageStatus, had_its_message_at
from rebound.sending.domain.chunk_tasks import ChunkTask, channel_of, lane_of

if TYPE_CHECKING:
    from rebound.campaigns.ports import CampaignBook, ChunkLedger, SharedAddressLedger
    from rebound.messages.ports import MessageLog
    from rebound.platform.ports import Clock
    from rebound.sending.ports import ChunkQueue

ENQUEUED_BY: Final = timedelta(minutes=1)
"""A chunk that was opened again and that nobody has claimed by then is put on the queue once more."""


class RecallRecipients(Struct, frozen=True, kw_only=True):
    """Looks at the shared addresses of a campaign in which everybody is accounted for.

    At each address where nobody was handed the message, one of those who made way is queued again, the smallest id
    first; when that one is left out as well, the next. Each step may be done again at any time.
    """

    shared_addresses: SharedAddressLedger
    campaigns: CampaignBook
    chunks: ChunkLedger
    messages: MessageLog
    queue: ChunkQueue
    clock: Clock

    def __call__(self, campaign: Campaign) -> int:
        """Recall who is to be; returns how many of those who were recalled are not accounted for yet.

        Raises ``ConcurrentChangeError`` when somebody else writes the same.
        """
        addresses = self.shared_addresses.contested(campaign.campaign_id)
        keys = {c: _key(campaign, c) for a in addresses for c in (*a.made_way, a.winner) if c is not None}
        known = self.messages.get_many(list(keys.values()))
        messages = {customer_id: known[key] for customer_id, key in keys.items() if key in known}
        to_open: defaultdict[str, list[str]] = defaultdict(list)
        for address in addresses:
            if address.winner is not None and _is_settled_for(messages.get(address.winner), address.digest):
                customer_id = _still_queued(address, messages)
            else:
                customer_id = self._recalled(campaign, address, messages)
            if customer_id is not None:
                to_open[address.made_way[customer_id]].append(customer_id)
                campaign = replace(campaign, recalling=True)
        for chunk, customer_ids in to_open.items():
            self._open(campaign, ChunkKey(campaign.business_id, campaign.campaign_id, chunk), customer_ids)
        return sum(map(len, to_open.values()))

    def _recalled(self, campaign: Campaign, address: SharedAddress, messages: Mapping[str, Message]) -> str | None:
        """Who is recalled at an address, after those who were and are accounted for have been taken off."""
        left = dict(address.made_way)
        recalled = address.recalled
        while left:
            customer_id = recalled or min(left)
            message = messages.get(customer_id)
            is_queued = message is None or message.status is MessageStatus.QUEUED
            if is_queued or (recalled is None and message is not None and message.reason == Exclusion.SAME_ADDRESS):
                break
            left.pop(customer_id, None)
            recalled = None
        else:
            self.shared_addresses.replace(address, replace(address, winner=None, recalled=None, made_way=left))
            return None
        # Who was recalled may have claimed the address by now.
        winner = customer_id if address.winner == customer_id else None
        after = replace(address, winner=winner, recalled=customer_id, made_way=left)
        if recalled is None:
            if campaign.status in ENDED:
                return None
            self._queue_again(campaign, message)
        if after != address:
            self.shared_addresses.replace(address, after)
        return customer_id

    def _queue_again(self, campaign: Campaign, message: Message | None) -> None:
        """Queue a message once more; before the first, every sender must know that nobody makes way any more."""
        if not campaign.recalling:
            self.campaigns.replace(campaign, replace(campaign, recalling=True))
        if message is not None and message.status is MessageStatus.EXCLUDED:
            self.messages.advance([(message, replace(message, status=MessageStatus.QUEUED, reason=None))])

    def _open(self, campaign: Campaign, key: ChunkKey, customer_ids: Sequence[str]) -> None:
        now = self.clock.now()
        chunk = self.chunks.reopen(key, customer_ids, now)
        if chunk.state is ChunkState.PENDING and _is_to_be_enqueued(chunk.reopened_at, now):
            task = ChunkTask(key, len(chunk.remaining), lane_of(campaign))
            self.queue.put(channel_of(campaign, key), [task])


def _is_settled_for(message: Message | None, digest: str) -> bool:
    """Whether whoever the address is for was handed the message at it, or is held out and so gets none there."""
    is_held_out = message is not None and message.reason == Exclusion.HOLDOUT
    return is_held_out or had_its_message_at(message, digest)


def _still_queued(address: SharedAddress, messages: Mapping[str, Message]) -> str | None:
    """Who was recalled and is not accounted for, although somebody else has had the message by now.

    Their chunk may not have been opened before the last look ended; they are left out in it.
    """
    message = messages.get(address.recalled) if address.recalled is not None else None
    return address.recalled if message is None or message.status is MessageStatus.QUEUED else None


def _is_to_be_enqueued(reopened_at: datetime | None, now: datetime) -> bool:
    return reopened_at is not None and (reopened_at == now or now - reopened_at > ENQUEUED_BY)


def _key(campaign: Campaign, customer_id: str) -> MessageKey:
    return MessageKey(campaign.business_id, customer_id, campaign.message_id(customer_id))
