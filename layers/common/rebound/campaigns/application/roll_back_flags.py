"""Taking back the flags that the bounces of a campaign raised, because somebody else was at fault when they came.

Evidence is kept for each message, so it can be voided for each message: the flags follow by themselves, as they do
after an edit or a delivery. Whatever else is known against an address goes on counting.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from copy import replace
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.campaigns.domain.campaigns import Campaign, Rollback
from rebound.contacts.domain.reachability import Voided
from rebound.kernel.channels import ContactKey
from rebound.kernel.errors import ConflictError, FieldError, InvalidInputError
from rebound.kernel.receipts import MessageKey
from rebound.kernel.retrying import retried
from rebound.messages.domain.messages import Message, MessageStatus

if TYPE_CHECKING:
    from rebound.campaigns.application.campaign_service import CampaignService, CampaignView
    from rebound.campaigns.ports import CampaignBook, CampaignRunner, ChunkLedger
    from rebound.contacts.ports import ContactBook
    from rebound.messages.ports import MessageLog
    from rebound.platform.ports import Clock, Ids


class AskForRollback(Struct, frozen=True, kw_only=True):
    """Accepts a rollback, which runs in the background. Each request is a rollback of its own, and may be repeated."""

    campaigns: CampaignBook
    runner: CampaignRunner
    view: CampaignService
    clock: Clock
    ids: Ids

    def __call__(
        self, business_id: str, campaign_id: str, since: datetime | None = None, until: datetime | None = None
    ) -> CampaignView:
        """Void bounces between two times, or all. Raises ``NotFoundError``; ``ConflictError`` if nothing was sent."""
        if since is not None and until is not None and since > until:
            raise InvalidInputError(FieldError("until", "Must not be before since."))
        now = self.clock.now()
        rollback = Rollback(self.ids.ulid(now), now, since, until)

        def write() -> None:
            campaign = self.view.get(business_id, campaign_id).campaign
            if campaign.run_id is None:
                raise ConflictError("campaign_not_started", "The campaign has sent nothing yet.")
            self.campaigns.replace(campaign, replace(campaign, rollback=rollback))

        retried(write)
        self.runner.roll_back(business_id, campaign_id, rollback.rollback_id)
        return self.view.get(business_id, campaign_id)


class RollbackProgress(Struct, frozen=True):
    """Where a rollback goes on; ``cursor`` is ``None`` at the end. ``bounces`` counts those voided so far."""

    cursor: str | None
    bounces: int


class RollBackFlags(Struct, frozen=True, kw_only=True):
    """Walks from the campaign over its chunks to its messages, and voids their evidence at the contacts.

    Every page may be done again: evidence that is voided already is not written again, but is still counted.
    """

    campaigns: CampaignBook
    chunks: ChunkLedger
    messages: MessageLog
    contacts: ContactBook

    def __call__(
        self,
        business_id: str,
        campaign_id: str,
        rollback_id: str,
        cursor: str | None,
        bounces: int,
        may_go_on: Callable[[], bool],
    ) -> RollbackProgress:
        """Go on page by page while there is time; stop when another request has replaced this rollback meanwhile.

        ``cursor`` and ``bounces`` are those of the progress so far, ``None`` and 0 at the beginning.
        """
        progress = RollbackProgress(cursor, bounces)
        while True:
            campaign = self.campaigns.get(business_id, campaign_id)
            rollback = campaign.rollback
            if rollback is None or rollback.rollback_id != rollback_id:
                return RollbackProgress(None, progress.bounces)
            page = self.chunks.page(campaign_id, progress.cursor)
            # Who fell back to email is in the chunk of texts as well.
            own = [chunk for chunk in page.items if chunk.key.fell_back is None]
            customer_ids = [customer_id for chunk in own for customer_id in chunk.customer_ids]
            voided = self._void(campaign, rollback, customer_ids)
            progress = RollbackProgress(page.next_cursor, progress.bounces + voided)
            self._note(campaign, progress)
            if progress.cursor is None or not may_go_on():
                return progress

    def _void(self, campaign: Campaign, rollback: Rollback, customer_ids: Sequence[str]) -> int:
        keys = [MessageKey(campaign.business_id, c, campaign.message_id(c)) for c in customer_ids]
        bounced = [
            message
            for message in self.messages.get_many(keys).values()
            if message.status is MessageStatus.BOUNCED
            and message.failed_at is not None
            and rollback.covers(message.failed_at)
        ]
        by_contact: defaultdict[ContactKey, list[Message]] = defaultdict(list)
        for message in bounced:
            by_contact[message.contact].append(message)
        for key, messages in by_contact.items():
            self._void_at(key, [Voided(message.key.message_id) for message in messages])
        return len(bounced)

    def _void_at(self, key: ContactKey, voided: Sequence[Voided]) -> None:
        def write() -> None:
            contact = self.contacts.get_many([key])[key]
            learnt = contact.with_evidence(*voided)
            # Of an address that nobody uses any more only the consent is kept.
            if contact.is_used and learnt is not contact:
                self.contacts.save(learnt)

        retried(write)

    def _note(self, campaign: Campaign, progress: RollbackProgress) -> None:
        """Show the progress on the campaign, unless another request has replaced this one."""

        def write() -> None:
            now = self.campaigns.get(campaign.business_id, campaign.campaign_id)
            if now.rollback is None or campaign.rollback is None:
                return
            if now.rollback.rollback_id != campaign.rollback.rollback_id:
                return
            noted = replace(now.rollback, bounces=progress.bounces, done=progress.cursor is None)
            self.campaigns.replace(now, replace(now, rollback=noted))

        retried(write)
