"""Choosing the variant that goes to the rest of a campaign: when its time has come, or by hand before that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import replace
from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.campaigns.application.campaign_service import counted
from rebound.campaigns.application.steer_campaign import ended
from rebound.campaigns.domain.campaigns import ENDED, Campaign, CampaignStatus
from rebound.campaigns.domain.goal_results import tried
from rebound.campaigns.domain.results import not_reached
from rebound.kernel.errors import ConcurrentChangeError, ConflictError, FieldError, InvalidInputError, NotFoundError
from rebound.kernel.retrying import retried
from rebound.messages.domain.variants import Split
from rebound.messages.domain.winners import Because, Choice, Untried
from rebound.timers.domain import AHEAD, Timer

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.campaigns.application.campaign_service import CampaignView
    from rebound.campaigns.ports import CampaignBook, CampaignRunner, ChunkLedger, ExpansionLedger, TallyBook
    from rebound.platform.ports import Clock, Ids
    from rebound.timers.ports import TimerBook

WINNER: Final = "winner"
"""The kind of the timers; the key is ``<business_id>#<campaign_id>``."""

LOOK_AGAIN: Final = timedelta(hours=1)
"""For as long as a campaign whose time has come is paused."""
TRIED_WITHIN: Final = timedelta(minutes=15)
"""How often it is looked whether all have got what is tried on them."""


class ChooseWinner(Struct, frozen=True, kw_only=True):
    """Writes into a campaign which variant the rest get, once.

    The rest are targeted and in chunks as everybody is, and their chunks are set aside as those of a paused campaign
    are: on no queue. Once the choice is written, the campaign is requeued; whoever sets a chunk aside after that finds
    the choice (``ChunkLifecycle``). Whoever dies in between is called again, and requeues then. So nobody gets two and
    nobody is left, and a campaign that is cancelled meanwhile is as any other. While one is paused, nothing is chosen,
    because nothing is tried; it is chosen for when it goes on (``resumed``).

    As long as more and more get what is tried on them, because it is night there or there are many, the time moves:
    ``after_hours`` are those in which it is tried. When nobody more has got it for long (``WinnerRule.patience``), as
    where a chunk is in the dead letters, it is chosen by what the others did; who gets it later gets their own variant.
    """

    campaigns: CampaignBook
    chunks: ChunkLedger
    tallies: TallyBook
    expansion: ExpansionLedger
    businesses: BusinessDirectory
    runner: CampaignRunner
    timers: TimerBook
    clock: Clock
    ids: Ids

    def woken(self, timers: Sequence[Timer]) -> None:
        """Choose for the campaigns whose time has come; of one that has a winner, bring back those who wait for it."""
        for timer in timers:
            business_id, _, campaign_id = timer.key.rpartition("#")
            with suppress(NotFoundError):
                campaign = self._change(business_id, campaign_id, self._by_count)
                if campaign.status not in ENDED and campaign.split is not None:
                    self._go_on(campaign, campaign.split, timer)

    def _by_count(self, campaign: Campaign) -> Campaign:
        split = campaign.split
        if split is None or split.winner is None or split.awaited_at is None:
            return campaign
        if campaign.status in {*ENDED, CampaignStatus.PAUSED}:
            return campaign
        view, now = self._view(campaign), self.clock.now()
        left, known = _left(view), split.untried
        has_moved = left != (0 if known is None else known.number)
        if not has_moved and not self._has_come(split):
            return campaign
        if not left:
            if not has_moved:
                return self._chosen(campaign, split)
            return replace(campaign, split=replace(split, decides_at=now + split.winner.wait, untried=None))
        since = now if has_moved or known is None else known.since
        # Nobody gets it before quiet hours are over.
        since = max([since, *self.chunks.holds(campaign.campaign_id)])
        at_last = since + split.winner.patience
        if at_last <= now + AHEAD:
            return self._chosen(campaign, split, not_reached(split, view.variants))
        goes_on = has_moved or since > now
        decides_at = min(max(since, now) + TRIED_WITHIN + split.winner.wait, at_last) if goes_on else at_last
        return replace(campaign, split=replace(split, decides_at=decides_at, untried=Untried(left, since)))

    def _view(self, campaign: Campaign) -> CampaignView:
        ranges, counts = self.expansion.list(campaign.campaign_id), self.tallies.counts(campaign.campaign_id)
        is_expanded = len(ranges) == campaign.ranges and all(each.done for each in ranges)
        return replace(counted(campaign, [each.audience for each in ranges], counts), is_expanded=is_expanded)

    def _go_on(self, campaign: Campaign, split: Split, timer: Timer) -> None:
        """What follows of a campaign under way: its rest are brought back, or it is looked at again."""
        now = self.clock.now()
        if campaign.status is CampaignStatus.PAUSED:
            # Who resumes brings back all that was set aside.
            self.timers.put([replace(timer, due_at=now + LOOK_AGAIN)])
        elif split.chosen is not None:
            self._bring_back(campaign)
        elif split.decides_at is not None:
            self.timers.put([replace(timer, due_at=_next_look(split, split.decides_at, now + AHEAD))])

    def _bring_back(self, campaign: Campaign) -> None:
        """Queue the chunks that wait for the winner."""
        self.runner.requeue(campaign.business_id, campaign.campaign_id, self.ids.ulid(self.clock.now()))

    def resumed(self, view: CampaignView) -> Campaign:
        """A paused campaign as it is to go on; to be called before it does.

        Where some have not got yet what is tried on them, it is tried from now on, for as long as was asked for.
        """
        campaign, split = view.campaign, view.campaign.split
        if split is None or split.decides_at is None or split.chosen is not None:
            return campaign
        if _left(view) or split.untried is not None:
            campaign = awaiting(campaign, self.clock.now())
            put_off(self.timers, campaign)
            return campaign
        if self._has_come(split):
            return self._chosen(campaign, split)
        self.timers.put([_timer(campaign, split.decides_at)])
        return campaign

    def _chosen(self, campaign: Campaign, split: Split, missed: int = 0) -> Campaign:
        if split.winner is None or split.chosen is not None:
            return campaign
        counted = tried(split, self.tallies.counts(campaign.campaign_id))
        return replace(campaign, split=replace(split, chosen=replace(split.winner.choose(counted), missed=missed)))

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
                if split.chosen.name == name:
                    # Whoever chose may not have brought back those who wait for it.
                    return campaign
                raise ConflictError("winner_chosen", f"The winner has been chosen: {split.chosen.name}.")
            return replace(campaign, split=replace(split, chosen=Choice(name, Because.BY_HAND)))

        self._bring_back(self._change(business_id, campaign_id, chosen))
        # Written anew, the settings let those be decided again who wait with others for the morning.
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


def put_off(timers: TimerBook, campaign: Campaign) -> None:
    """Have the winner of a campaign that is about to begin chosen at its time; again changes nothing."""
    split = campaign.split
    if split is not None and split.winner is not None and split.awaited_at is not None:
        timers.put([_timer(campaign, split.awaited_at - split.winner.wait + TRIED_WITHIN)])


def _timer(campaign: Campaign, due_at: datetime) -> Timer:
    return Timer(due_at, WINNER, f"{campaign.business_id}#{campaign.campaign_id}")


def _left(view: CampaignView) -> int:
    """How many have not got what is tried on them; where not everybody has been looked at, at least one."""
    found = not_reached(view.campaign.split, view.variants)
    return found if view.is_expanded else max(found, 1)


def _next_look(split: Split, decides_at: datetime, after: datetime) -> datetime:
    """When it is looked again: each quarter of an hour while some have not got yet what is tried on them.

    The quarters are told from ``decides_at``, so that whoever is woken twice, or by two timers, puts one.
    """
    if split.untried is None:
        return decides_at
    return decides_at - max(ceil((decides_at - after) / TRIED_WITHIN) - 1, 0) * TRIED_WITHIN


def awaiting(campaign: Campaign, began: datetime) -> Campaign:
    """A campaign that begins now, with when its winner is chosen."""
    split = campaign.split
    if split is None or split.winner is None or split.chosen is not None:
        return campaign
    return replace(campaign, split=replace(split, decides_at=began + split.winner.wait, untried=None))
