"""What operations need from outside, AWS behind it, and the use cases made of it (``platform.wiring``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from rebound.businesses.wiring import AwsBusinessesPorts, BusinessesUseCases
from rebound.platform.wiring import in_this_process

if TYPE_CHECKING:
    from rebound.operations.application import ManageDeadLetters
    from rebound.operations.ports import DeadLetterQueues, OperationsPorts


class AwsOperationsPorts(AwsBusinessesPorts):
    """The same over AWS."""

    @cached_property
    def dead_letter_queues(self) -> DeadLetterQueues:
        from rebound.operations.adapters import DeadLettersOf, SqsDeadLetterQueues

        queues: Mapping[str, tuple[str, str]] = json.loads(self.settings["DEAD_LETTER_QUEUES"])
        return SqsDeadLetterQueues(self.aws("sqs"), {name: DeadLettersOf(*urls) for name, urls in queues.items()})


class OperationsUseCases(BusinessesUseCases):
    """The use cases of operations."""

    ports: OperationsPorts

    @cached_property
    def manage_dead_letters(self) -> ManageDeadLetters:
        from rebound.operations.application import ManageDeadLetters

        return ManageDeadLetters(queues=self.ports.dead_letter_queues, failures=self.ports.failure_log)


def use_cases() -> OperationsUseCases:
    """Those of this process."""
    return in_this_process(OperationsUseCases, ports)


def ports() -> AwsOperationsPorts:
    """Those of this process, over AWS."""
    return AwsOperationsPorts()
