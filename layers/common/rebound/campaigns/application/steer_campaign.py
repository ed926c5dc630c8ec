"""Pausing, resuming, cancelling and ending campaigns, and bringing back the chunks that a pause set aside."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from copy import replace
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.campaigns.application.campaign_service import status_when_announced
from rebound.campaigns.application.edit_campaign import begin
from rebound.campaigns.domain.by_tier import children_ids
from rebound.campaigns.domain.campaigns import ENDED, RUNNING, Campaign, CampaignStatus
from rebound.kernel.errors import ConflictError
from rebound.kernel.retrying import retried

if TYPE_CHECKING:
    from rebound.campaigns.application.campaign_service import CampaignService, CampaignView
    from rebound.campaigns.ports import CampaignBook, CampaignRunner
    from rebound.platform.ports import Clock, Ids


class SteerCampaign(Struct, frozen=True, kw_only=True):
    """Pauses, resumes and cancels campaigns. Each call may be repeated at any time, also after one that broke half way.

    The senders look at the campaign's status right before they hand anything over: after a pause they set their chunk
    aside, after a cancellation they end its recipients as ``cancelled``. A chunk that was set aside is on no queue any
    more, so a resume and a cancellation put it on its queue again.
    """

    campaigns: CampaignBook
    runner: CampaignRunner
    view: CampaignService
    clock: Clock
    ids: Ids
    space_out: Callable[[Campaign], None]
    await_winner: Callable[[CampaignView], Campaign]
    """A campaign as it goes on, with when its winner is chosen (``ChooseWinner.resumed``)."""

    def pause(self, business_id: str, campaign_id: str) -> CampaignView:
        """Hand over nothing more.

        Raises ``NotFoundError``, and ``ConflictError`` when the campaign has ended or is a draft.
        """

        def paused(campaign: Campaign) -> CampaignStatus:
            _check_announced(campaign)
            return CampaignStatus.PAUSED

        return self._move_all(business_id, campaign_id, paused)

    def resume(self, business_id: str, campaign_id: str) -> CampaignView:
        """Go on where it stopped: nobody is skipped, nobody is sent to twice. Raises as ``pause`` does.

        A new window begins: the breaker forgets what became of the messages sent until now.
        """

        def resumed(campaign: Campaign) -> CampaignStatus:
            _check_announced(campaign)
            if campaign.status in ENDED:
                raise ended(campaign)
            if campaign.status is not CampaignStatus.PAUSED:
                return campaign.status
            if campaign.run_id is not None:
                return CampaignStatus.SENDING
            status = status_when_announced(campaign.send_at, self.clock.now())
            if status is CampaignStatus.EXPANDING:
                # The time that it was for may be over.
                self.space_out(campaign)
            return status

        return self._move_all(business_id, campaign_id, resumed, requeue=True)

    def cancel(self, business_id: str, campaign_id: str) -> CampaignView:
        """End the campaign: messages that have not been handed over never will be, and a draft is given up.

        Raises ``NotFoundError``, and ``ConflictError`` when the campaign has ended.
        """
        return self._move_all(business_id, campaign_id, lambda _: CampaignStatus.CANCELLED, requeue=True)

    def _move_all(
        self,
        business_id: str,
        campaign_id: str,
        status_of: Callable[[Campaign], CampaignStatus],
        *,
        requeue: bool = False,
    ) -> CampaignView:
        """Move a campaign, and then its children, those aside that have ended by themselves."""
        view = self._move(business_id, campaign_id, status_of, requeue=requeue)
        children = self.view.children(view.campaign)
        for child in children:
            if child.status not in ENDED:
                # It may have ended since.
                with suppress(ConflictError):
                    self._move(business_id, child.campaign_id, status_of, requeue=requeue)
        return self.view.get(business_id, campaign_id) if children else view

    def _move(
        self,
        business_id: str,
        campaign_id: str,
        status_of: Callable[[Campaign], CampaignStatus],
        *,
        requeue: bool = False,
    ) -> CampaignView:
        def write() -> None:
            view = self.view.get(business_id, campaign_id)
            campaign = view.campaign
            status = status_of(campaign)
            if status is campaign.status:
                return
            if campaign.status in ENDED:
                raise ended(campaign)
            moved = replace(
                self.await_winner(view) if status in RUNNING else campaign,
                status=status,
                completed_at=self.clock.now() if status in ENDED else None,
                paused_because=None,
                window=campaign.window + (status in RUNNING),
            )
            self.campaigns.replace(campaign, moved)

        retried(write)
        view = self.view.get(business_id, campaign_id)
        # One that was edited while it was paused may have no start ahead of it.
        begin(view.campaign, self.runner)
        if requeue and view.campaign.run_id is not None:
            self.runner.requeue(business_id, campaign_id, self.ids.ulid(self.clock.now()))
        return view


def _check_announced(campaign: Campaign) -> None:
    """Raise ``ConflictError`` for a draft, which nothing sends."""
    if campaign.status is CampaignStatus.DRAFT:
        raise ConflictError("campaign_is_draft", "The campaign is a draft, of which nothing is sent: announce it.")


def ended(campaign: Campaign) -> ConflictError:
    """The error for an attempt to steer a campaign that has ended."""
    return ConflictError("campaign_ended", f"The campaign is {campaign.status}.", campaign_status=campaign.status)


class CloseCampaign(Struct, frozen=True, kw_only=True):
    """Ends a campaign."""

    campaigns: CampaignBook
    clock: Clock

    def complete(self, business_id: str, campaign_id: str) -> None:
        """Complete the campaign, and its children before it, because everybody is accounted for."""
        for child_id in children_ids(self.campaigns.get(business_id, campaign_id)):
            self._end(business_id, child_id, CampaignStatus.COMPLETED, None)
        self._end(business_id, campaign_id, CampaignStatus.COMPLETED, None)

    def fail(self, business_id: str, campaign_id: str, reason: str) -> None:
        """Fail the campaign, because it cannot go on; ``reason`` is shown to the client."""
        self._end(business_id, campaign_id, CampaignStatus.FAILED, reason)

    def _end(self, business_id: str, campaign_id: str, status: CampaignStatus, reason: str | None) -> None:
        campaign = self.campaigns.get(business_id, campaign_id)
        if campaign.status in ENDED:
            return
        ended = replace(campaign, status=status, failure=reason, paused_because=None, completed_at=self.clock.now())
        self.campaigns.replace(campaign, ended)
