"""Running jobs: Step Functions."""

import json
from typing import Any

from botocore.exceptions import ClientError


class StepFunctionsJobRunner:
    """Implements ``JobRunner``. An execution has its job's name and run, so that starting twice is starting once."""

    def __init__(self, stepfunctions: Any, state_machine_arn: str) -> None:
        self._stepfunctions = stepfunctions
        self._state_machine_arn = state_machine_arn

    def start(self, business_id: str, job_id: str, run: int) -> None:
        try:
            self._stepfunctions.start_execution(
                stateMachineArn=self._state_machine_arn,
                name=f"{job_id}-{run}",
                input=json.dumps({"business_id": business_id, "job_id": job_id}),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise
