"""What the claim ledger takes for granted of the functions."""

from datetime import timedelta
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

from rebound.sending.application.chunk_lifecycle import LEASE

TEMPLATE = Path(__file__).parents[3] / "template.yaml"


@pytest.mark.parametrize("function", ["SendEmailFunction", "SendTextFunction"])
def test_a_lease_outlives_the_function_that_holds_it(function: str) -> None:
    properties = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))["Resources"][function]["Properties"]

    assert timedelta(seconds=properties["Timeout"]) < LEASE
