"""The ports of campaigns over AWS, and the use cases made of them (``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rebound.campaigns.domain.campaigns import Campaign
from rebound.eligibility.wiring import AwsEligibilityPorts, EligibilityUseCases
from rebound.kernel.pages import RowChange
from rebound.platform.wiring import in_this_process, use_case
from rebound.rates.wiring import AwsRatesPorts, RatesUseCases

if TYPE_CHECKING:
    from datetime import datetime

    from rebound.activity.ports import Watcher
    from rebound.businesses.domain.business import Business
    from rebound.campaigns.adapters.dynamo_gates import DynamoSequenceGates
    from rebound.campaigns.adapters.dynamo_members import DynamoMemberList
    from rebound.campaigns.application.campaign_service import CampaignService, CampaignView
    from rebound.campaigns.application.choose_winner import ChooseWinner
    from rebound.campaigns.application.claim_loyalty_week import ClaimLoyaltyWeek
    from rebound.campaigns.application.count_results import CountResults, TripBreaker
    from rebound.campaigns.application.edit_campaign import EditCampaign
    from rebound.campaigns.application.find_waiting import FindWaiting
    from rebound.campaigns.application.judge_account import JudgeAccount
    from rebound.campaigns.application.preview_campaign import PreviewCampaign
    from rebound.campaigns.application.project_campaigns import ProjectCampaigns
    from rebound.campaigns.application.read_recipients import ReadRecipients
    from rebound.campaigns.application.recount_goals import ListenForGoals, RecountGoals
    from rebound.campaigns.application.roll_back_flags import AskForRollback, RollBackFlags
    from rebound.campaigns.application.send_again import SendAgain
    from rebound.campaigns.application.steer_campaign import CloseCampaign, SteerCampaign
    from rebound.campaigns.ports import (
        CampaignBook,
        CampaignRunner,
        CampaignsPorts,
        ChunkLedger,
        ExpansionLedger,
        LoyaltyWeeks,
        MemberList,
        SentAgainBook,
        SequenceGates,
        SharedAddressLedger,
        SingleMessages,
        TallyBook,
        VoucherBook,
    )
    from rebound.timers.domain import Timer
    from rebound.timers.ports import Waker


class AwsCampaignsPorts(AwsEligibilityPorts, AwsRatesPorts):
    """The ports of campaigns over AWS."""

    @cached_property
    def campaigns(self) -> CampaignBook:
        from rebound.campaigns.adapters.dynamo_campaigns import DynamoCampaignBook

        return DynamoCampaignBook(self.settings["CAMPAIGNS_TABLE"])

    @cached_property
    def sequence_gates(self) -> SequenceGates:
        return self.dynamo_gates

    @cached_property
    def dynamo_gates(self) -> DynamoSequenceGates:
        """For the adapter that writes them in one transaction with the sequences."""
        from rebound.campaigns.adapters.dynamo_gates import DynamoSequenceGates

        return DynamoSequenceGates(self.settings["DIRECTORY_TABLE"])

    @cached_property
    def chunks(self) -> ChunkLedger:
        from rebound.campaigns.adapters.dynamo_campaigns import DynamoChunkLedger

        return DynamoChunkLedger(self.settings["CHUNKS_TABLE"])

    @cached_property
    def expansion(self) -> ExpansionLedger:
        from rebound.campaigns.adapters.dynamo_expansion import DynamoExpansionLedger

        return DynamoExpansionLedger(self.settings["CHUNKS_TABLE"])

    @cached_property
    def shared_addresses(self) -> SharedAddressLedger:
        from rebound.campaigns.adapters.dynamo_shared_addresses import DynamoSharedAddressLedger

        return DynamoSharedAddressLedger(self.settings["CHUNKS_TABLE"])

    @cached_property
    def members(self) -> MemberList:
        return self.dynamo_members

    @cached_property
    def dynamo_members(self) -> DynamoMemberList:
        """For adapters that list members and rows of their own in one transaction."""
        from rebound.campaigns.adapters.dynamo_members import DynamoMemberList

        return DynamoMemberList(self.settings["CHUNKS_TABLE"])

    @cached_property
    def single_messages(self) -> SingleMessages:
        from rebound.campaigns.adapters.dynamo_single_messages import DynamoSingleMessages

        return DynamoSingleMessages(self.settings["CAMPAIGNS_TABLE"])

    @cached_property
    def loyalty_weeks(self) -> LoyaltyWeeks:
        from rebound.campaigns.adapters.dynamo_loyalty_weeks import DynamoLoyaltyWeeks

        return DynamoLoyaltyWeeks(self.settings["DIRECTORY_TABLE"])

    @cached_property
    def sent_again(self) -> SentAgainBook:
        from rebound.campaigns.adapters.dynamo_sent_again import DynamoSentAgain

        return DynamoSentAgain(self.settings["DIRECTORY_TABLE"])

    @cached_property
    def tallies(self) -> TallyBook:
        from rebound.campaigns.adapters.dynamo_tallies import DynamoTallyBook

        return DynamoTallyBook(self.settings["CHUNKS_TABLE"])

    @cached_property
    def voucher_book(self) -> VoucherBook:
        from rebound.campaigns.adapters.dynamo_vouchers import DynamoVoucherBook

        return DynamoVoucherBook(self.settings["CHUNKS_TABLE"])

    @cached_property
    def runner(self) -> CampaignRunner:
        from rebound.campaigns.adapters.campaign_runner import StepFunctionsCampaignRunner

        return StepFunctionsCampaignRunner(
            self.aws("stepfunctions"),
            self.aws("scheduler"),
            self.settings["CAMPAIGN_STATE_MACHINE_ARN"],
            self.settings["ERRAND_STATE_MACHINE_ARN"],
            self.settings["SCHEDULE_GROUP"],
            self.settings["SCHEDULER_ROLE_ARN"],
        )

    @staticmethod
    def campaign_change_of(record: Mapping[str, Any]) -> RowChange[Campaign] | None:
        """What a record of the campaigns' change stream says."""
        from rebound.campaigns.adapters.dynamo_campaigns import campaign_change_of

        return campaign_change_of(record)


class CampaignsUseCases(EligibilityUseCases, RatesUseCases):
    """The use cases of campaigns."""

    ports: CampaignsPorts

    @cached_property
    def campaign_service(self) -> CampaignService:
        from rebound.campaigns.application.campaign_service import CampaignService

        return self.made(CampaignService, foresee=self.preview_audience.foresee, judge=self.judge_account)

    claim_loyalty_week: ClaimLoyaltyWeek = use_case(
        "rebound.campaigns.application.claim_loyalty_week", weeks="loyalty_weeks"
    )

    def space_out(self, campaign: Campaign) -> None:
        """Let a campaign that is about to be announced keep away from others: few are of a category that does."""
        if campaign.category.traits.is_spaced:
            self.claim_loyalty_week(campaign)

    @cached_property
    def edit_campaign(self) -> EditCampaign:
        from rebound.campaigns.application.edit_campaign import EditCampaign

        return self.made(EditCampaign, view=self.campaign_service)

    recount_goals: RecountGoals = use_case("rebound.campaigns.application.recount_goals", reach="reach_goals")
    listen_for_goals: ListenForGoals = use_case("rebound.campaigns.application.recount_goals")

    @cached_property
    def watchers(self) -> Sequence[Watcher]:
        """And what customers do for the goals of campaigns."""

        def recount(business: Business, customer_id: str) -> None:
            if business.goals_until is not None:
                self.recount_goals(business, customer_id)

        return (*super().watchers, recount)

    choose_winner: ChooseWinner = use_case("rebound.campaigns.application.choose_winner")

    @cached_property
    def wakers(self) -> Mapping[str, Waker]:
        """Who wakes each kind of timer. What chooses winners is made when there is one to choose."""

        def choose(timers: Sequence[Timer]) -> None:
            self.choose_winner.woken(timers)

        return {**super().wakers, "winner": choose}

    def prepare(self, campaign: Campaign, began: datetime) -> None:
        """Have goals counted from now on, and a winner chosen, for a campaign that begins now: few need that."""
        if campaign.goal is not None:
            self.listen_for_goals(campaign.business_id, campaign.goal, began)
        if campaign.split is not None and campaign.split.decides_at is not None:
            from rebound.campaigns.application.choose_winner import put_off

            put_off(self.ports.timers, campaign)

    def await_winner(self, view: CampaignView) -> Campaign:
        """A campaign as it goes on, with when its winner is chosen: few wait for one."""
        split = view.campaign.split
        return view.campaign if split is None or split.decides_at is None else self.choose_winner.resumed(view)

    send_again: SendAgain = use_case("rebound.campaigns.application.send_again", edit="edit_campaign")
    judge_account: JudgeAccount = use_case("rebound.campaigns.application.judge_account")
    preview_campaign: PreviewCampaign = use_case("rebound.campaigns.application.preview_campaign")
    read_recipients: ReadRecipients = use_case("rebound.campaigns.application.read_recipients", view="campaign_service")
    find_waiting: FindWaiting = use_case("rebound.campaigns.application.find_waiting")
    steer_campaign: SteerCampaign = use_case("rebound.campaigns.application.steer_campaign", view="campaign_service")
    ask_for_rollback: AskForRollback = use_case(
        "rebound.campaigns.application.roll_back_flags", view="campaign_service"
    )
    roll_back_flags: RollBackFlags = use_case("rebound.campaigns.application.roll_back_flags")
    close_campaign: CloseCampaign = use_case("rebound.campaigns.application.steer_campaign")
    trip_breaker: TripBreaker = use_case("rebound.campaigns.application.count_results")
    count_results: CountResults = use_case("rebound.campaigns.application.count_results", breaker="trip_breaker")
    project_campaigns: ProjectCampaigns = use_case(
        "rebound.campaigns.application.project_campaigns", publish="publish_events"
    )


use_cases = in_this_process(CampaignsUseCases, AwsCampaignsPorts)
ports = AwsCampaignsPorts
