"""What campaigns need from outside, AWS behind it, and the use cases made of it (``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rebound.campaigns.domain.campaigns import Campaign
from rebound.eligibility.wiring import AwsEligibilityPorts, EligibilityUseCases
from rebound.kernel.changes import RowChange
from rebound.platform.wiring import in_this_process
from rebound.rates.wiring import AwsRatesPorts, RatesUseCases

if TYPE_CHECKING:
    from rebound.campaigns.application.campaign_service import CampaignService
    from rebound.campaigns.application.close_campaign import CloseCampaign
    from rebound.campaigns.application.count_results import CountResults
    from rebound.campaigns.application.project_campaigns import ProjectCampaigns
    from rebound.campaigns.application.roll_back_flags import AskForRollback, RollBackFlags
    from rebound.campaigns.application.steer_campaign import SteerCampaign
    from rebound.campaigns.application.trip_breaker import TripBreaker
    from rebound.campaigns.ports import (
        CampaignBook,
        CampaignRunner,
        CampaignsPorts,
        ChunkLedger,
        ExpansionLedger,
        TallyBook,
    )


class AwsCampaignsPorts(AwsEligibilityPorts, AwsRatesPorts):
    """The same over AWS."""

    @cached_property
    def campaigns(self) -> CampaignBook:
        from rebound.campaigns.adapters.dynamo_campaigns import DynamoCampaignBook

        return DynamoCampaignBook(self.settings["CAMPAIGNS_TABLE"])

    @cached_property
    def chunks(self) -> ChunkLedger:
        from rebound.campaigns.adapters.dynamo_campaigns import DynamoChunkLedger

        return DynamoChunkLedger(self.settings["CHUNKS_TABLE"])

    @cached_property
    def expansion(self) -> ExpansionLedger:
        from rebound.campaigns.adapters.dynamo_campaigns import DynamoExpansionLedger

        return DynamoExpansionLedger(self.settings["CHUNKS_TABLE"])

    @cached_property
    def tallies(self) -> TallyBook:
        from rebound.campaigns.adapters.dynamo_campaigns import DynamoTallyBook

        return DynamoTallyBook(self.settings["CHUNKS_TABLE"])

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

        return CampaignService(
            campaigns=self.ports.campaigns,
            runner=self.ports.runner,
            segments=self.ports.segments,
            businesses=self.ports.businesses,
            expansion=self.ports.expansion,
            tallies=self.ports.tallies,
            chunks=self.ports.chunks,
            message_log=self.ports.messages,
            clock=self.ports.clock,
            ids=self.ports.ids,
            request_ids=self.ports.request_ids,
            rates=self.ports.rates,
            foresee=self.preview_audience.foresee,
        )

    @cached_property
    def steer_campaign(self) -> SteerCampaign:
        from rebound.campaigns.application.steer_campaign import SteerCampaign

        return SteerCampaign(
            campaigns=self.ports.campaigns,
            runner=self.ports.runner,
            view=self.campaign_service,
            clock=self.ports.clock,
            ids=self.ports.ids,
        )

    @cached_property
    def ask_for_rollback(self) -> AskForRollback:
        from rebound.campaigns.application.roll_back_flags import AskForRollback

        return AskForRollback(
            campaigns=self.ports.campaigns,
            runner=self.ports.runner,
            view=self.campaign_service,
            clock=self.ports.clock,
            ids=self.ports.ids,
        )

    @cached_property
    def roll_back_flags(self) -> RollBackFlags:
        from rebound.campaigns.application.roll_back_flags import RollBackFlags

        return RollBackFlags(
            campaigns=self.ports.campaigns,
            chunks=self.ports.chunks,
            messages=self.ports.messages,
            contacts=self.ports.contacts,
        )

    @cached_property
    def close_campaign(self) -> CloseCampaign:
        from rebound.campaigns.application.close_campaign import CloseCampaign

        return CloseCampaign(campaigns=self.ports.campaigns, clock=self.ports.clock)

    @cached_property
    def trip_breaker(self) -> TripBreaker:
        from rebound.campaigns.application.trip_breaker import TripBreaker

        return TripBreaker(campaigns=self.ports.campaigns, tallies=self.ports.tallies)

    @cached_property
    def count_results(self) -> CountResults:
        from rebound.campaigns.application.count_results import CountResults

        return CountResults(tallies=self.ports.tallies, breaker=self.trip_breaker)

    @cached_property
    def project_campaigns(self) -> ProjectCampaigns:
        from rebound.campaigns.application.project_campaigns import ProjectCampaigns

        return ProjectCampaigns(
            expansion=self.ports.expansion, tallies=self.ports.tallies, events=self.ports.domain_events
        )


def use_cases() -> CampaignsUseCases:
    """Those of this process."""
    return in_this_process(CampaignsUseCases, ports)


def ports() -> AwsCampaignsPorts:
    """Those of this process, over AWS."""
    return AwsCampaignsPorts()
