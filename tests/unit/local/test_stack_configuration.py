"""The ports of a stack on this machine, as the environment asks for them."""

import pytest

from local.stack.configuration import StackConfiguration
from local.stack.errors import StackError


def test_the_ports_are_those_that_are_asked_for() -> None:
    read = StackConfiguration.read({"REBOUND_AWS_PORT": "5001", "REBOUND_TWIN_PORT": ""})

    assert (read.aws_port, read.twin_port) == (5001, StackConfiguration().twin_port)


@pytest.mark.parametrize(
    "environment",
    [
        {"REBOUND_AWS_PORT": "abc"},
        {"REBOUND_TWIN_PORT": "65536"},
        {"REBOUND_AWS_PORT": "5001", "REBOUND_TWIN_PORT": "5001"},
        {"REBOUND_TWIN_PORT": str(StackConfiguration().aws_port)},
    ],
    ids=str,
)
def test_what_cannot_be_a_port_or_is_one_twice_is_refused_before_anything_starts(environment: dict[str, str]) -> None:
    with pytest.raises(StackError, match=list(environment.values())[-1]):
        StackConfiguration.read(environment)
