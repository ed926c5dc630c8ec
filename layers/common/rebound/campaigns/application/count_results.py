"""Exact counts of what became of a campaign's messages, from the change stream of the message log.

Counting on the stream costs the hot path nothing. Each shard of the stream is in order and is delivered at least once;
the position of the last change counted is written together with the counts, so no change counts twice and none is left
out, whatever is delivered again.

The function that counts is the first to see that a campaign goes wrong, so it also calls the breaker.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from copy import replace
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.campaigns.domain.breaker import deserves_a_warning, reason_to_pause
from rebound.campaigns.domain.campaigns import RUNNING, Campaign, CampaignStatus, final_words
from rebound.kernel.errors import NotFoundError
from rebound.kernel.retrying import retried
from rebound.messages.domain.labels import counts_for_breaker
from rebound.messages.domain.messages import StatusChange

if TYPE_CHECKING:
    from rebound.campaigns.ports import CampaignBook, TallyBook


class TripBreaker(Struct, frozen=True, kw_only=True):
    """Pauses a running campaign, as a person can, and notes bounce warnings; it never pauses one that is not running.

    The carrier of a single message is no campaign and is never paused.
    """

    campaigns: CampaignBook
    tallies: TallyBook

    def judge(self, business_id: str, campaign_id: str) -> None:
        """Judge the outcomes since the campaign began or was last resumed; warn about it or pause it if need be."""

        def judged(campaign: Campaign) -> Campaign:
            words = final_words(self.tallies.counts(campaign_id), campaign.window)
            if campaign.bounce_warning is None and deserves_a_warning(words):
                campaign = replace(campaign, bounce_warning=words)
            because = reason_to_pause(words)
            return campaign if because is None else _paused(campaign, because)

        self._change(business_id, campaign_id, judged)

    def trip(self, business_id: str, campaign_id: str, because: str) -> None:
        """Pause the campaign for a reason that is known at once; ``because`` is shown to the client."""
        self._change(business_id, campaign_id, lambda campaign: _paused(campaign, because))

    def _change(self, business_id: str, campaign_id: str, change: Callable[[Campaign], Campaign]) -> None:
        def write() -> None:
            campaign = self.campaigns.get(business_id, campaign_id)
            changed = campaign if campaign.single else change(campaign)
            if changed != campaign:
                self.campaigns.replace(campaign, changed)

        with suppress(NotFoundError):
            retried(write)


def _paused(campaign: Campaign, because: str) -> Campaign:
    if campaign.status not in RUNNING:
        return campaign
    return replace(campaign, status=CampaignStatus.PAUSED, paused_because=because)


class CountResults(Struct, frozen=True, kw_only=True):
    """Counts one batch of one shard."""

    tallies: TallyBook
    breaker: TripBreaker

    def __call__(self, shard: str, changes: Iterable[StatusChange]) -> None:
        """Add what has not been counted yet. Raises ``ConcurrentChangeError`` when it is being counted elsewhere."""
        by_campaign: defaultdict[tuple[str, str], list[StatusChange]] = defaultdict(list)
        for change in changes:
            by_campaign[change.business_id, change.campaign_id].append(change)
        for (business_id, campaign_id), moved in by_campaign.items():
            self._count(shard, campaign_id, moved)
            # Also for changes counted before: the worker that counted them may have died before the breaker judged.
            if any(counts_for_breaker(label) for change in moved for label in change.after - change.before):
                self.breaker.judge(business_id, campaign_id)

    def _count(self, shard: str, campaign_id: str, moved: Sequence[StatusChange]) -> None:
        position = self.tallies.position(campaign_id, shard)
        fresh = [change for change in moved if position is None or int(change.position) > int(position)]
        if not fresh:
            return
        counts: Counter[str] = Counter()
        for change in fresh:
            counts.update(change.after)
            counts.subtract(change.before)
        self.tallies.add(
            campaign_id,
            shard,
            {label: count for label, count in counts.items() if count},
            after=position,
            position=fresh[-1].position,
        )
