"""Choosing the variant that goes to the rest of a campaign: when its time has come, or by hand before that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.campaigns.application.steer_campaign import ended
from rebound.campaigns.domain.campaigns import ENDED, Campaign, CampaignStatus
from rebound.campaigns.domain.goal_results import tried
from rebound.kernel.errors import ConcurrentChangeError, ConflictError, FieldError, InvalidInputError, NotFoundError
from rebound.kernel.retrying import retried
from rebound.messages.domain.messages import MessageStatus
from rebound.messages.domain.variants import REST, Split
from rebound.messages.domain.winners import Because, Choice
from rebound.timers.domain import AHEAD, Timer

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.campaigns.application.campaign_service import CampaignView
    from rebound.campaigns.ports import CampaignBook, TallyBook
    from rebound.platform.ports import Clock
    from rebound.timers.ports import TimerBook

WINNER: Final = "winner"
"""The kind of the timers; the key is ``<business_id>#<campaign_id>``."""

LOOK_AGAIN: Final = timedelta(hours=1)
"""For as long as a campaign whose time has come is paused."""


class ChooseWinner(Struct, frozen=True, kw_only=True):
    """Writes into a campaign which variant the rest get, once.

    The rest are targeted and in chunks as everybody is, and wait there as others do for the morning. Whoever sends
    decides again when they are due, and finds the choice in the campaign; where it is late, they wait a little more. So
    nobody gets two, whoever dies, and a campaign that is cancelled meanwhile is as any other. While one is paused,
    nothing is chosen, because nothing is tried; it is chosen for when it goes on (``resumed``).
    """

    campaigns: CampaignBook
    tallies: TallyBook
    businesses: BusinessDirectory
    timers: TimerBook
    clock: Clock

    def put_off(self, campaign: Campaign) -> None:
        """Have the winner of a campaign that is about to begin chosen at its time; again changes nothing."""
        split = campaign.split
        if split is not None and split.decides_at is not None:
            self.timers.put([Timer(split.decides_at, WINNER, f"{campaign.business_id}#{campaign.campaign_id}")])

    def woken(self, timers: Sequence[Timer]) -> None:
        """Choose for the campaigns whose time has come; one that has a winner, or has ended, stays as it is."""
        for timer in timers:
            business_id, _, campaign_id = timer.key.rpartition("#")
            with suppress(NotFoundError):
                if self._change(business_id, campaign_id, self._by_count).status is CampaignStatus.PAUSED:
                    self.timers.put([replace(timer, due_at=self.clock.now() + LOOK_AGAIN)])

    def _by_count(self, campaign: Campaign) -> Campaign:
        split = campaign.split
        if split is None or campaign.status in {*ENDED, CampaignStatus.PAUSED} or not self._has_come(split):
            return campaign
        return self._chosen(campaign, split)

    def resumed(self, view: CampaignView) -> Campaign:
        """A paused campaign as it is to go on; to be called before it does.

        Where some have not got yet what is tried on them, it is tried from now on, for as long as was asked for.
        """
        campaign, split = view.campaign, view.campaign.split
        if split is None or split.decides_at is None or split.chosen is not None:
            return campaign
        queued = (each.results[MessageStatus.QUEUED] for each in view.variants if each.name != REST)
        if not view.is_expanded or any(queued):
            campaign = awaiting(campaign, self.clock.now())
            self.put_off(campaign)
            return campaign
        return self._chosen(campaign, split) if self._has_come(split) else campaign

    def _chosen(self, campaign: Campaign, split: Split) -> Campaign:
        if split.winner is None or split.chosen is not None:
            return campaign
        counted = tried(split, self.tallies.counts(campaign.campaign_id))
        return replace(campaign, split=replace(split, chosen=split.winner.choose(counted)))

    def _has_come(self, split: Split) -> bool:
        """Whether it is time, or so soon that nobody wakes us again: else a timer of a plan that died has woken us."""
        return split.decides_at is not None and split.decides_at <= self.clock.now() + AHEAD

    def by_hand(self, business_id: str, campaign_id: str, name: str) -> None:
        """Let a variant go to the rest from now on.

        Raises ``NotFoundError``, ``InvalidInputError`` for a variant that there is not, and ``ConflictError`` when the
        campaign waits for no winner.
        """

        def chosen(campaign: Campaign) -> Campaign:
            split = campaign.split
            if campaign.status in ENDED:
                raise ended(campaign)
            if split is None or split.decides_at is None:
                raise ConflictError("no_winner_awaited", "It has not begun, or nobody in it waits for a winner.")
            if name not in (names := [each.name for each in split.variants]):
                raise InvalidInputError(FieldError.unknown("variant", "Is no variant of the campaign.", name, names))
            if split.chosen is not None:
                if split.chosen == Choice(name, Because.BY_HAND):
                    return campaign
                raise ConflictError("winner_chosen", f"The winner has been chosen: {split.chosen.name}.")
            return replace(campaign, split=replace(split, chosen=Choice(name, Because.BY_HAND)))

        self._change(business_id, campaign_id, chosen)
        # Written anew, the settings let all that waits be decided again. Whoever dies before is called again.
        with suppress(ConcurrentChangeError):
            self.businesses.replace(self.businesses.get(business_id))

    def _change(self, business_id: str, campaign_id: str, change: Callable[[Campaign], Campaign]) -> Campaign:
        def write() -> Campaign:
            campaign = self.campaigns.get(business_id, campaign_id)
            changed = change(campaign)
            if changed != campaign:
                self.campaigns.replace(campaign, changed)
            return changed

        return retried(write)


def awaiting(campaign: Campaign, began: datetime) -> Campaign:
    """A campaign that begins now, with when its winner is chosen."""
    split = campaign.split
    if split is None or split.winner is None or split.chosen is not None:
        return campaign
    return replace(campaign, split=replace(split, decides_at=began + split.winner.wait))
