"""One deployed stack for the whole session, and a business of its own for each module that asks for one."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import Stack, StackConfiguration, down, up
from tests.e2e.rebound_api import ReboundApi
from tests.e2e.surroundings import Calm, EmbeddedAws, Operator, Twin

RUNNING_STACK = "REBOUND_E2E_STACK"
"""Names the ``stack.json`` of a stack that runs already and is to be used instead of a new one."""


@pytest.fixture(scope="module", autouse=True)
def day() -> None:
    """Today: the stack's processes have the machine's clock."""


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack beside whatever else runs on this machine, gone after the session."""
    if running := os.environ.get(RUNNING_STACK):
        yield Stack(**json.loads(Path(running).read_text(encoding="utf-8")))
        return
    configuration = StackConfiguration.beside_others(tmp_path_factory.mktemp("stack"))
    try:
        yield up(configuration, say=lambda step: print(f"{step} …", file=sys.stderr))  # noqa: T201 - shown on failure
    finally:
        down(configuration)


@pytest.fixture(scope="session")
def twin(stack: Stack) -> Twin:
    return Twin(stack.twin_url)


@pytest.fixture(scope="session")
def aws(stack: Stack) -> EmbeddedAws:
    return EmbeddedAws(stack.aws_endpoint_url, stack.region)


@pytest.fixture(scope="session")
def operator(stack: Stack, aws: EmbeddedAws) -> Operator:
    return Operator(aws, stack.api_url)


@pytest.fixture(scope="session")
def calm(twin: Twin, aws: EmbeddedAws) -> Calm:
    return Calm(twin, aws)


@pytest.fixture(scope="session")
def first_business(stack: Stack) -> ReboundApi:
    """The business and key that `make up` makes."""
    return ReboundApi(stack.api_url, stack.api_key, stack.business_id)


@pytest.fixture(scope="module")
def api(operator: Operator, request: pytest.FixtureRequest) -> ReboundApi:
    """A business of this module's own, so that whole lists and counts can be held against what the module made."""
    return operator.new_business(request.module.__name__.rpartition(".")[2])


@pytest.fixture(scope="module")
def other(operator: Operator) -> ReboundApi:
    """Somebody else's business."""
    return operator.new_business("Somebody else")
