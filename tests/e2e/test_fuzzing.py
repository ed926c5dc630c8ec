"""Requests made of the OpenAPI document: the deployed stack answers each as the document says.

A sample here, beside the larger one of ``tests/integration/api``; ``make fuzz`` goes on for longer, with other requests
each time.
"""

import os
from typing import Final

import pytest

from tests.e2e.rebound_api import ReboundApi
from tests.e2e.surroundings import Operator
from tests.fakes.fuzzing import fuzz

SECONDS: Final = "REBOUND_FUZZ_SECONDS"
"""How long ``make fuzz`` goes on."""
SAMPLE: Final = ("--phases", "fuzzing", "--max-time", "30", "--seed", "1")


@pytest.mark.parametrize("of_operator", [False, True], ids=["a business's key", "the operator's key"])
def test_the_stack_answers_as_documented(api: ReboundApi, operator: Operator, of_operator: bool) -> None:
    seconds, of_stack = os.environ.get(SECONDS), operator.over_http()
    key = of_stack.key if of_operator else api.key
    whose = ("--include-path-regex" if of_operator else "--exclude-path-regex", "^/v1/operator/")
    try:
        made = fuzz(api.url, key, *whose, "--workers", "2", *(SAMPLE if seconds is None else ("--max-time", seconds)))
    finally:
        # It is for all businesses of the stack, and other modules have theirs there.
        of_stack.delete("/v1/operator/hold-policy")
    print(f"{made} requests")  # noqa: T201 - for whoever waits for it
