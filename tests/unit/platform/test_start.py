"""What the start of a function makes, and what it leaves to the garbage collector."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from rebound.platform.invocations import IN_LAMBDA
from rebound.platform.wiring import AwsPorts
from tests.fakes.aws import ENVIRONMENT, REPOSITORY
from tests.fakes.deployment import Template

TEMPLATE: Final = Template(SenderIdentity="example.com")
FUNCTIONS: Final = sorted(TEMPLATE.of_type("AWS::Serverless::Function"))

PROGRAM: Final = """
import gc
from rebound.platform.invocations import at_start
at_start(lambda: [{} for _ in range(20_000)])
print(gc.isenabled(), gc.get_threshold()[0], gc.get_freeze_count() > 1000)
"""

UNASKED: Final = ("activity", "loyalty", "recurring", "relations", "vouchers")
"""Capabilities that a marketing email does without."""
LIGHT: Final = {"loyalty.domain.standings", "activity.adapters.late_summaries"}
"""What stands for them: what a campaign may be kept with, and what reads summaries once somebody asks."""
START: Final = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("handler", sys.argv[1])
spec.loader.exec_module(importlib.util.module_from_spec(spec))
ours = {name: module for name, module in sys.modules.items() if name.startswith("rebound.")}
print(*(name for name, module in ours.items() if not hasattr(module, "__path__")))
"""


@pytest.mark.parametrize(("environment", "said"), [({}, "True 2000 False"), ({IN_LAMBDA: "x"}, "True 10000 True")])
def test_inside_of_lambda_the_collector_sets_aside_what_the_start_has_made(
    environment: dict[str, str], said: str
) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=environment)

    assert done.stdout.strip() == said


def load(logical: str) -> None:
    folder = str(TEMPLATE.resources[logical]["Properties"]["CodeUri"])
    spec = importlib.util.spec_from_file_location(f"start_of_{logical}", Path(REPOSITORY, folder, "handler.py"))
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


@pytest.mark.parametrize("logical", FUNCTIONS)
def test_a_function_makes_what_it_uses_while_it_is_initialised(logical: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, Any] = {}
    monkeypatch.setattr(AwsPorts, "made", made)
    load(logical)
    assert made == {}

    for name, value in {**ENVIRONMENT, **TEMPLATE.environment(logical), IN_LAMBDA: logical}.items():
        monkeypatch.setenv(name, value)
    load(logical)
    assert made or logical in (
        "ServeApiFunction",
        "ServeConsoleFunction",
        "ServeOperationsFunction",
        "ServeOperatorFunction",
    )


@pytest.mark.parametrize("logical", ["SendEmailFunction", "SendTextFunction", "ApplyReceiptsFunction"])
def test_who_sends_and_hears_back_loads_nothing_of_what_few_businesses_use(logical: str) -> None:
    folder = str(TEMPLATE.resources[logical]["Properties"]["CodeUri"])
    handler = str(Path(REPOSITORY, folder, "handler.py"))
    environment = {**ENVIRONMENT, **TEMPLATE.environment(logical), IN_LAMBDA: logical}
    done = subprocess.run(
        [sys.executable, "-c", START, handler], capture_output=True, text=True, check=True, env=environment
    )
    loaded = {name.removeprefix("rebound.") for name in done.stdout.split()}

    assert "eligibility.domain.eligibility" in loaded or logical == "ApplyReceiptsFunction"
    unasked = {name for name in loaded if name.split(".")[0] in UNASKED}
    assert {name for name in unasked if not name.endswith(".wiring")} <= LIGHT
