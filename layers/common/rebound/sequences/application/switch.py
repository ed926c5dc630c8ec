"""What carries a sequence's messages, when the sequence goes on or ends.

Whether anything may be handed over is asked of the sequence's gate, which is written together with the sequence, by
whoever is about to do it: carriers need no word of it. They are looked at when the sequence goes on, for the chunks
that were set aside meanwhile, and for what the breaker holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from copy import replace
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.campaigns.domain.campaigns import Campaign, CampaignStatus
from rebound.kernel.errors import ConcurrentChangeError

if TYPE_CHECKING:
    from rebound.campaigns.ports import CampaignBook, CampaignRunner
    from rebound.platform.ports import Clock, Ids
    from rebound.sequences.domain.sequences import SavedSequence
    from rebound.sequences.ports import StepCarriers

HELD: Final = 0
"""The version of the gate for chunks that the breaker has had set aside: before any other."""


class SwitchCarriers(Struct, frozen=True, kw_only=True):
    """Has what was set aside of a sequence's messages come again; asked again, it finds what is left."""

    step_carriers: StepCarriers
    campaigns: CampaignBook
    runner: CampaignRunner
    clock: Clock
    ids: Ids

    def resume(self, sequence: SavedSequence) -> None:
        """Hand over again what was set aside; also what the breaker holds. Raises ``ConcurrentChangeError``."""
        for campaign in self._all(sequence):
            if campaign.status is CampaignStatus.PAUSED:
                going_on = replace(campaign, status=CampaignStatus.SENDING, paused_because=None, aside=HELD)
                self.campaigns.replace(campaign, replace(going_on, window=campaign.window + 1))
        for campaign in self._all(sequence):
            # What a later switching off has set aside is for who switches it on after that.
            if campaign.aside is not None and campaign.aside < sequence.row_version:
                self._requeue(campaign)
                with suppress(ConcurrentChangeError):
                    self.campaigns.replace(campaign, replace(campaign, aside=None))

    def cancel(self, sequence: SavedSequence) -> None:
        """Have what was set aside be cancelled by who would send it: the sequence has no gate any more."""
        for campaign in self._all(sequence):
            if campaign.status is CampaignStatus.PAUSED or campaign.aside is not None:
                self._requeue(campaign)

    def _all(self, sequence: SavedSequence) -> Sequence[Campaign]:
        ids = self.step_carriers.of(sequence.business_id, sequence.uid)
        return self.campaigns.get_many(sequence.business_id, ids)

    def _requeue(self, campaign: Campaign) -> None:
        self.runner.requeue(campaign.business_id, campaign.campaign_id, self.ids.ulid(self.clock.now()))
