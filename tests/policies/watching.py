"""What functions ask of tables, queues and state machines while tests invoke them, held against their policies."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import replace
from functools import cache
from typing import Any, Final
from unittest.mock import patch

from moto.core.botocore_stubber import BotocoreStubber

from tests.fakes.deployment import AwsCall, Template
from tests.policies.engines import Asked, Policies
from tests.policies.granted import policies_of
from tests.policies.needs import needed

_SERVICES: Final = ("dynamodb", "sqs", "sfn")
_TURN: Final = threading.RLock()
"""One function at a time, whoever invokes it: of two that overlap, the first to end would leave the other one's."""


class Watched:
    """What was asked so far. ``settings`` are what the functions are told here, where queues have other names."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._asked: set[Asked] = set()

    @contextmanager
    def function(self, folder: str) -> Iterator[None]:
        """While a function of ``functions/`` is at work."""
        function = f"{folder.title().replace('_', '')}Function"
        thread = threading.get_ident()

        def asked(stubber: Any, event_name: str, request: Any, **given: Any) -> Any:
            _, service, operation = event_name.split(".")
            # What a test does meanwhile is not the function's.
            if stubber.enabled and service in _SERVICES and threading.get_ident() == thread:
                self._asked |= {
                    Asked(function, replace(need, resource=self._deployed(function).get(need.resource, need.resource)))
                    for need in needed(AwsCall(function, service, operation, request))
                }
            return answer(stubber, event_name, request, **given)

        with _TURN:
            answer: Any = BotocoreStubber.__call__
            with patch.object(BotocoreStubber, "__call__", asked):
                yield

    def refused(self) -> list[str]:
        """What IAM would have refused, in words."""
        return _policies().refused(sorted(self._asked, key=str))

    @cache  # noqa: B019 - lives as long as the tests of a module
    def _deployed(self, function: str) -> Mapping[str, str]:
        """The ARN of each queue and state machine that this function is told of, by the one that it has here."""
        told = _template().environment(function)
        both = [(self._settings[name], told[name]) for name in told.keys() & self._settings.keys()]
        if "DEAD_LETTER_QUEUES" in told:
            here, there = (json.loads(each["DEAD_LETTER_QUEUES"]) for each in (self._settings, told))
            both += [pair for name in here for pair in zip(here[name], there[name], strict=True)]
        return {_arn(here): _arn(there) for here, there in both}


def _arn(told: str) -> str:
    """Of what a function is told by its address."""
    _, _, place = told.partition("https://sqs.")
    region, _, path = place.partition(".amazonaws.com/")
    return f"arn:aws:sqs:{region}:{path.replace('/', ':')}" if path else told


@cache
def _template() -> Template:
    return Template(SenderIdentity="example.com", TextLogGroups="create", TwilioSecretArn="twilio")


@cache
def _policies() -> Policies:
    return policies_of(_template())
