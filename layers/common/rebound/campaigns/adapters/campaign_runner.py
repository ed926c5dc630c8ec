"""Running campaigns: Step Functions now, EventBridge Scheduler later."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

SECOND: Final = timedelta(seconds=1)
RESOLUTION: Final = datetime.resolution


class StepFunctionsCampaignRunner:
    """Implements ``CampaignRunner``. An execution has its campaign's name, so that starting twice is starting once."""

    def __init__(
        self,
        stepfunctions: Any,
        scheduler: Any,
        state_machine_arn: str,
        follow_up_machine_arn: str,
        schedule_group: str,
        role_arn: str,
    ) -> None:
        self._stepfunctions = stepfunctions
        self._scheduler = scheduler
        self._state_machine_arn = state_machine_arn
        self._follow_up_machine_arn = follow_up_machine_arn
        self._schedule_group = schedule_group
        self._role_arn = role_arn

    def start(self, business_id: str, campaign_id: str) -> None:
        self._start(self._state_machine_arn, campaign_id, _input(business_id, campaign_id))

    def requeue(self, business_id: str, campaign_id: str, name: str) -> None:
        execution_input = {"business_id": business_id, "campaign_id": campaign_id, "requeue": {"cursor": None}}
        self._stepfunctions.start_execution(
            stateMachineArn=self._follow_up_machine_arn, name=f"requeue-{name}", input=json.dumps(execution_input)
        )

    def roll_back(self, business_id: str, campaign_id: str, rollback_id: str) -> None:
        execution_input = {
            "business_id": business_id,
            "campaign_id": campaign_id,
            "roll_back": {"rollback_id": rollback_id, "cursor": None, "bounces": 0},
        }
        self._start(self._follow_up_machine_arn, f"roll-back-{rollback_id}", json.dumps(execution_input))

    def schedule(self, business_id: str, campaign_id: str, at: datetime) -> None:
        # An expression has whole seconds, and sending early is worse than late.
        at = (at + SECOND - RESOLUTION).astimezone(UTC)
        try:
            self._scheduler.create_schedule(
                Name=campaign_id,
                GroupName=self._schedule_group,
                ScheduleExpression=f"at({at:%Y-%m-%dT%H:%M:%S})",
                FlexibleTimeWindow={"Mode": "OFF"},
                ActionAfterCompletion="DELETE",
                Target={
                    "Arn": self._state_machine_arn,
                    "RoleArn": self._role_arn,
                    "Input": _input(business_id, campaign_id),
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConflictException":
                raise

    def _start(self, machine_arn: str, name: str, document: str) -> None:
        try:
            self._stepfunctions.start_execution(stateMachineArn=machine_arn, name=name, input=document)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise


def _input(business_id: str, campaign_id: str) -> str:
    return json.dumps({"business_id": business_id, "campaign_id": campaign_id})
