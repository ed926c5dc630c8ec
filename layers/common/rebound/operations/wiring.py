"""The ports of operations over AWS, and the use cases made of them (``platform.wiring``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from rebound.imports_exports.wiring import AwsImportsExportsPorts, ImportsExportsUseCases
from rebound.platform.wiring import in_this_process, use_case
from rebound.receipts.wiring import AwsReceiptsPorts, ReceiptsUseCases
from rebound.staff.wiring import AwsStaffPorts, StaffUseCases

if TYPE_CHECKING:
    from rebound.operations.application.dead_letter_service import DeadLetterService
    from rebound.operations.application.look_after_stack import EstimateCosts, ReadAlarms, ReadSenders
    from rebound.operations.application.run_command import RunCommand
    from rebound.operations.ports import Alarms, DeadLetterQueues, EmailIdentities, OperationsPorts, Usages


class AwsOperationsPorts(AwsReceiptsPorts, AwsImportsExportsPorts, AwsStaffPorts):
    """The ports of operations over AWS."""

    @cached_property
    def dead_letter_queues(self) -> DeadLetterQueues:
        from rebound.operations.adapters.dead_letters import DeadLettersOf, SqsDeadLetterQueues, about_of_queues

        queues: Mapping[str, tuple[str, str]] = json.loads(self.settings["DEAD_LETTER_QUEUES"])
        return SqsDeadLetterQueues(
            self.aws("sqs"),
            {name: DeadLettersOf(*urls) for name, urls in queues.items()},
            about_of_queues(self.decode_receipts, self.imports_of_notice),
        )

    @cached_property
    def alarms(self) -> Alarms:
        from rebound.operations.adapters.cloudwatch import CloudWatchAlarms

        return CloudWatchAlarms(self.aws("cloudwatch"), self.settings["STACK_NAME"])

    @cached_property
    def usages(self) -> Usages:
        from rebound.operations.adapters.cloudwatch import CloudWatchUsage

        return CloudWatchUsage(
            self.aws("cloudwatch"),
            self.settings["STACK_NAME"],
            self.settings["LARGE_FUNCTIONS"].split(","),
            self.settings["CAMPAIGN_STATE_MACHINE_ARN"],
        )

    @cached_property
    def email_identities(self) -> EmailIdentities:
        from rebound.operations.adapters.ses_identities import SesIdentities

        return SesIdentities(self.aws("sesv2"))


class OperationsUseCases(ReceiptsUseCases, ImportsExportsUseCases, StaffUseCases):
    """The use cases of operations."""

    ports: OperationsPorts

    dead_letter_service: DeadLetterService = use_case(
        "rebound.operations.application.dead_letter_service", queues="dead_letter_queues", failures="failure_log"
    )
    read_alarms: ReadAlarms = use_case("rebound.operations.application.look_after_stack")
    estimate_costs: EstimateCosts = use_case("rebound.operations.application.look_after_stack")
    read_senders: ReadSenders = use_case(
        "rebound.operations.application.look_after_stack", identities="email_identities"
    )
    run_command: RunCommand = use_case(
        "rebound.operations.application.run_command",
        tenants="tenant_service",
        senders="sender_grants",
        dead_letters="dead_letter_service",
        public_url="public_url",
    )


use_cases = in_this_process(OperationsUseCases, AwsOperationsPorts)
ports = AwsOperationsPorts
