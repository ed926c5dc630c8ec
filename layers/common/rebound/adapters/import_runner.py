"""Running imports: Step Functions."""

import json
from typing import Any

from botocore.exceptions import ClientError


class StepFunctionsImportRunner:
    """Implements ``ImportRunner``. An execution has its import's name, so that starting twice is starting once."""

    def __init__(self, stepfunctions: Any, state_machine_arn: str) -> None:
        self._stepfunctions = stepfunctions
        self._state_machine_arn = state_machine_arn

    def start(self, business_id: str, import_id: str) -> None:
        what = {"business_id": business_id, "import_id": import_id}
        try:
            self._stepfunctions.start_execution(
                stateMachineArn=self._state_machine_arn, name=import_id, input=json.dumps(what)
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise
