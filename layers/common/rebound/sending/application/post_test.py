"""Posting a message to one of a business's own test recipients."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.campaigns.domain.campaigns import queued_message
from rebound.campaigns.domain.chunks import Chunk
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.errors import ConcurrentChangeError
from rebound.kernel.receipts import TESTED, MessageKey
from rebound.messages.domain.messages import Message
from rebound.messages.domain.vouchers import Voucher
from rebound.sending.domain.chunk_tasks import ChunkTask, lane_of
from rebound.sending.domain.message_timers import single_chunk
from rebound.sending.domain.recipients import customer_of_tests
from rebound.sending.domain.single_messages import carrier_of
from rebound.templates.domain.content import Said

if TYPE_CHECKING:
    from rebound.campaigns.ports import CampaignBook, ChunkLedger
    from rebound.messages.ports import MessageLog
    from rebound.platform.ports import Clock, Ids, RequestIds
    from rebound.sending.ports import ChunkQueue


class PostTest(Struct, frozen=True, kw_only=True):
    """Queues a test. It travels as a single message does, decided like it, to a customer who is made up.

    It belongs to no campaign, so that it is in no audience and no results.
    """

    campaigns: CampaignBook
    chunks: ChunkLedger
    messages: MessageLog
    queue: ChunkQueue
    clock: Clock
    ids: Ids
    request_ids: RequestIds

    def __call__(
        self,
        business_id: str,
        *,
        channel: Channel,
        address: str,
        category: Category,
        content: Said,
        voucher: Voucher | None = None,
        request: str | None = None,
    ) -> Message:
        """Queue the message. ``request`` names the client's request, as in ``PostMessage``."""
        now = self.clock.now()
        proposed = self.ids.ulid(now)
        message_id = proposed if request is None else self.request_ids.id_for(business_id, request, proposed)
        message_key = MessageKey(business_id, TESTED, message_id)
        carrier = carrier_of(message_key, channel, category, content, now, test_to=address, voucher=voucher)
        key = customer_of_tests(business_id, channel, address, now).contact_key(channel) or ContactKey(
            business_id, channel, address
        )
        message = queued_message(carrier, message_key, now, address=key.address)
        chunk_key = single_chunk(business_id, message_id)
        self.chunks.add(Chunk(chunk_key, (TESTED,), (TESTED,), created_at=now))
        with suppress(ConcurrentChangeError):
            # A request that is tried again finds the carrier that it wrote before.
            self.campaigns.add(carrier)
        self.messages.record([message])
        self.queue.put(channel, [ChunkTask(chunk_key, 1, lane_of(carrier))])
        return message
