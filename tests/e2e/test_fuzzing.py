"""Requests made of the OpenAPI document: the deployed stack answers each as the document says.

A sample here, beside the larger one of ``tests/integration/api``; ``make fuzz`` goes on for longer, with other requests
each time.
"""

import os
from typing import Final

from tests.e2e.rebound_api import ReboundApi
from tests.fakes.fuzzing import fuzz

SECONDS: Final = "REBOUND_FUZZ_SECONDS"
"""How long ``make fuzz`` goes on."""
SAMPLE: Final = ("--phases", "fuzzing", "--max-time", "30", "--seed", "1")


def test_the_stack_answers_as_documented(api: ReboundApi) -> None:
    seconds = os.environ.get(SECONDS)
    made = fuzz(api.url, api.key, "--workers", "2", *(SAMPLE if seconds is None else ("--max-time", seconds)))
    print(f"{made} requests")  # noqa: T201 - for whoever waits for it
