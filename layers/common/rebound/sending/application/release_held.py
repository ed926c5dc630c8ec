"""Bringing held chunks to their lane when their hour comes.

A queue holds a message back for 15 minutes at most, so what waits for the morning goes round on a queue of its own. Its
lane does not see it before: there its turn would be taken, and its number make what can go believe in a long wait.

Why it waits may change meanwhile: with the business's settings, or the time zone of a customer. Both make a new version
of the settings, and whatever was held under another one is decided again when it comes round.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.kernel.channels import Channel
from rebound.sending.domain.chunk_tasks import DeferredChunkTask

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.platform.ports import Clock
    from rebound.sending.ports import ChunkQueue, DeferredChunkQueue


class ReleaseHeld(Struct, frozen=True, kw_only=True):
    """Passes on what is due or to be decided again, and holds back the rest. What comes twice is claimed once."""

    held: DeferredChunkQueue
    queue: ChunkQueue
    clock: Clock
    businesses: BusinessDirectory

    def __call__(self, tasks: Sequence[DeferredChunkTask]) -> None:
        """All of them are on a queue again when this returns."""
        now = self.clock.now()
        early = [held for held in tasks if held.not_before > now]
        business_ids = {held.task.key.business_id for held in early}
        versions = {business_id: self.businesses.get(business_id).version for business_id in business_ids}
        later = [held for held in early if held.version == versions[held.task.key.business_id]]
        for channel in Channel:
            due = [held.task for held in tasks if held.channel is channel and held.not_before <= now]
            changed = [held.to_look_again(now) for held in early if held.channel is channel and held not in later]
            if due or changed:
                self.queue.put(channel, [*due, *changed])
        if later:
            self.held.put(later, now)
