"""What all tests have: one Hypothesis profile, and a day.

The profile is bounded, without deadlines, and makes the same examples in every run.
"""

import gc
import os
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from hypothesis import HealthCheck, settings

from tests.dates import LATER
from tests.fakes.making import NOON

settings.register_profile(
    "ci",
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("ci")


def pytest_collection_finish() -> None:
    """Have the garbage collector leave alone what stays until the end, and look less often: a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture(scope="module", autouse=True)
def day() -> Iterator[None]:
    """The day after all that tests write down with ``at``, whatever day it is; ``make dates`` says that it is another.

    Time passes on it. End-to-end tests have the stack's day, which is today.
    """
    if LATER in os.environ:
        yield
        return
    with time_machine.travel((NOON + timedelta(days=1)).timestamp()):
        yield
