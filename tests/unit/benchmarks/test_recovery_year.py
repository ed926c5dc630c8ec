"""The bars of half-open recovery, on a sample of the simulated year that ``tests.benchmarks`` measures."""

from typing import Any, Final

import pytest

from tests.benchmarks import recovery_year

SAMPLE: Final = 300


@pytest.fixture(scope="module")
def year() -> dict[str, Any]:
    return recovery_year.run(SAMPLE)


def test_with_both_options_on_nearly_all_that_can_be_restored_are_and_none_falsely(year: dict[str, Any]) -> None:
    assert year["both"]["recoverable"] > SAMPLE / 3
    assert all(year["bars"].values()), year


def test_without_probes_whoever_gets_marketing_only_stays_flagged(year: dict[str, Any]) -> None:
    assert year["neither"]["share_restored"] < 0.8 < year["probe_marketing"]["share_restored"]


def test_spacing_tries_saves_needless_sends(year: dict[str, Any]) -> None:
    assert year["spaced"]["needless_sends"] < year["neither"]["needless_sends"]
    assert year["both"]["needless_sends"] < year["probe_marketing"]["needless_sends"]


def test_the_same_seed_tells_the_same_year() -> None:
    assert recovery_year.run(40, seed=1) == recovery_year.run(40, seed=1) != recovery_year.run(40, seed=2)
