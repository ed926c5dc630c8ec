"""Running campaigns: Step Functions starts them now, EventBridge Scheduler starts them later."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError
from msgspec import Struct

from rebound.platform.adapters.aws import start_once

SECOND: Final = timedelta(seconds=1)
RESOLUTION: Final = datetime.resolution


class StepFunctionsCampaignRunner(Struct, frozen=True):
    """Implements ``CampaignRunner``. An execution is named after its campaign, so a second start does nothing.

    So is a schedule, with its time: a campaign that is moved gets another one, and the former starts an execution that
    finds that the campaign is not due. Removing it could lose a race against a move back.
    """

    stepfunctions: Any
    scheduler: Any
    state_machine_arn: str
    follow_up_machine_arn: str
    schedule_group: str
    role_arn: str

    def start(self, business_id: str, campaign_id: str, name: str | None = None) -> None:
        what = {"business_id": business_id, "campaign_id": campaign_id}
        start_once(self.stepfunctions, self.state_machine_arn, name or campaign_id, what)

    def requeue(self, business_id: str, campaign_id: str, name: str) -> None:
        execution_input = {"business_id": business_id, "campaign_id": campaign_id, "requeue": {"cursor": None}}
        self.stepfunctions.start_execution(
            stateMachineArn=self.follow_up_machine_arn, name=f"requeue-{name}", input=json.dumps(execution_input)
        )

    def roll_back(self, business_id: str, campaign_id: str, rollback_id: str) -> None:
        execution_input = {
            "business_id": business_id,
            "campaign_id": campaign_id,
            "roll_back": {"rollback_id": rollback_id, "cursor": None, "bounces": 0},
        }
        start_once(self.stepfunctions, self.follow_up_machine_arn, f"roll-back-{rollback_id}", execution_input)

    def schedule(self, business_id: str, campaign_id: str, at: datetime) -> None:
        # An expression has whole seconds, and sending early is worse than late.
        at = (at + SECOND - RESOLUTION).astimezone(UTC)
        try:
            self.scheduler.create_schedule(
                Name=f"{campaign_id}-{at:%Y%m%dT%H%M%S}",
                GroupName=self.schedule_group,
                ScheduleExpression=f"at({at:%Y-%m-%dT%H:%M:%S})",
                FlexibleTimeWindow={"Mode": "OFF"},
                ActionAfterCompletion="DELETE",
                Target={
                    "Arn": self.state_machine_arn,
                    "RoleArn": self.role_arn,
                    "Input": json.dumps({"business_id": business_id, "campaign_id": campaign_id}),
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConflictException":
                raise
