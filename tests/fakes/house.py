"""All capabilities together: what the tests, the benches and the crash tests put in the place of single functions."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Protocol

import pytest

from rebound.inbound.wiring import AwsInboundPorts
from rebound.operations.ports import OperationsPorts
from rebound.operations.wiring import AwsOperationsPorts, OperationsUseCases
from rebound.platform.wiring import AwsPorts, PlatformUseCases, in_this_process
from rebound.preferences.wiring import PreferencesUseCases
from rebound.relations.ports import RelationsPorts
from rebound.relations.wiring import AwsRelationsPorts
from rebound.sequences.ports import SequencesPorts
from rebound.sequences.wiring import AwsSequencesPorts, SequencesUseCases
from rebound.timeline.wiring import TimelineUseCases


class EveryPorts(OperationsPorts, SequencesPorts, RelationsPorts, Protocol):
    """Every port there is."""


class AwsEveryPorts(AwsOperationsPorts, AwsInboundPorts, AwsSequencesPorts, AwsRelationsPorts):
    """The same over AWS."""


class EveryUseCase(OperationsUseCases, TimelineUseCases, PreferencesUseCases, SequencesUseCases):
    """Every use case there is."""

    ports: EveryPorts


def stand_in(monkeypatch: pytest.MonkeyPatch, **doubles: Any) -> None:
    """Put something behind ports of this process by name; what is made of the ports is made anew."""
    for name, double in doubles.items():
        monkeypatch.setitem(AwsPorts.made, name, double)
    forget_use_cases()


def stand_in_for_use_case(monkeypatch: pytest.MonkeyPatch, kind: type[PlatformUseCases], **doubles: Any) -> None:
    """Let those that a function or an area asks of its capability be something else."""
    monkeypatch.setitem(AwsPorts.made, kind.__name__, SimpleNamespace(ports=ports(), **doubles))


def forget_use_cases() -> None:
    """Let this process make its use cases anew. Its clients and tables, which take long to make, stay."""
    for name in [name for name, kept in AwsPorts.made.items() if isinstance(kept, PlatformUseCases)]:
        del AwsPorts.made[name]


ports = AwsEveryPorts
"""Gives those of this process."""


use_cases = in_this_process(EveryUseCase, AwsEveryPorts)
"""Gives those of this process."""


_CHECKED: Callable[[], EveryPorts] = ports
"""So that a port without an adapter is an error of types."""
