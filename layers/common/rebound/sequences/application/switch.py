"""Switching what carries a sequence's messages off and on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from copy import replace
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.campaigns.domain.campaigns import RUNNING, Campaign, CampaignStatus
from rebound.kernel.errors import NotFoundError
from rebound.kernel.retrying import retried
from rebound.sequences.domain.sequences import Late

if TYPE_CHECKING:
    from datetime import datetime

    from rebound.campaigns.ports import CampaignBook, CampaignRunner
    from rebound.platform.ports import Clock, Ids
    from rebound.sequences.domain.sequences import SavedSequence
    from rebound.sequences.ports import StepCarriers


class MoveCarrier(Struct, frozen=True, kw_only=True):
    """Changes what carries the messages of a step; senders look at it right before they hand anything over."""

    campaigns: CampaignBook

    def pause(self, business_id: str, campaign_id: str) -> bool:
        """Hand over nothing more; what senders have in hand is set aside."""
        return self.moved(business_id, campaign_id, _paused)

    def moved(self, business_id: str, campaign_id: str, move: Callable[[Campaign], Campaign]) -> bool:
        """Whether it is there; one that was noted a moment ago may come yet, and then looks at the sequence itself."""

        def write() -> None:
            before = self.campaigns.get(business_id, campaign_id)
            after = move(before)
            if after != before:
                self.campaigns.replace(before, after)

        with suppress(NotFoundError):
            retried(write)
            return True
        return False


class SwitchCarriers(Struct, frozen=True, kw_only=True):
    """Switches off and on all that carries the messages of a sequence."""

    step_carriers: StepCarriers
    move: MoveCarrier
    runner: CampaignRunner
    clock: Clock
    ids: Ids

    def pause(self, sequence: SavedSequence) -> None:
        """Hand over nothing more."""
        for campaign_id in self.step_carriers.of(sequence.business_id, sequence.uid):
            self.move.pause(sequence.business_id, campaign_id)

    def resume(self, sequence: SavedSequence) -> None:
        """Hand over again, what was set aside first; where what is late lapses, it is cancelled instead."""
        lapsed_until = sequence.switched_at if sequence.late is Late.LAPSE else None
        self._requeue(sequence, lambda campaign: _resumed(campaign, lapsed_until))

    def cancel(self, sequence: SavedSequence) -> None:
        """End what is on its way: of a sequence that is deleted nothing goes out any more."""
        self._requeue(sequence, _cancelled)

    def _requeue(self, sequence: SavedSequence, move: Callable[[Campaign], Campaign]) -> None:
        for campaign_id in self.step_carriers.of(sequence.business_id, sequence.uid):
            if self.move.moved(sequence.business_id, campaign_id, move):
                self.runner.requeue(sequence.business_id, campaign_id, self.ids.ulid(self.clock.now()))


def _paused(campaign: Campaign) -> Campaign:
    return replace(campaign, status=CampaignStatus.PAUSED) if campaign.status in RUNNING else campaign


def _resumed(campaign: Campaign, lapsed_until: datetime | None) -> Campaign:
    if campaign.status is not CampaignStatus.PAUSED:
        return campaign
    after = replace(campaign, status=CampaignStatus.SENDING, paused_because=None, window=campaign.window + 1)
    return after if lapsed_until is None else replace(after, lapsed_until=lapsed_until)


def _cancelled(campaign: Campaign) -> Campaign:
    return replace(campaign, status=CampaignStatus.CANCELLED)
