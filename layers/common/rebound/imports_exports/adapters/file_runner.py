"""Running the work on files, imports and exports: Step Functions."""

import json
from typing import Any

from botocore.exceptions import ClientError


class StepFunctionsFileRunner:
    """Implements ``FileRunner``. An execution has the name of its import or export: starting twice is starting once."""

    def __init__(self, stepfunctions: Any, state_machine_arn: str, id_field: str) -> None:
        self._stepfunctions = stepfunctions
        self._state_machine_arn = state_machine_arn
        self._id_field = id_field

    def start(self, business_id: str, work_id: str) -> None:
        what = {"business_id": business_id, self._id_field: work_id}
        try:
            self._stepfunctions.start_execution(
                stateMachineArn=self._state_machine_arn, name=work_id, input=json.dumps(what)
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise
