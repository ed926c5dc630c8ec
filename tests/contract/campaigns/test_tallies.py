"""Tallies: one suite against the fake and the tables."""

import pytest

from rebound.kernel.errors import ConcurrentChangeError
from tests.fakes.house import EveryPorts
from tests.fakes.making import (
    CAMPAIGN_ID,
)


def test_tallies_add_up_over_shards_and_only_from_the_position_that_was_read(ports: EveryPorts) -> None:
    assert ports.tallies.position(CAMPAIGN_ID, "a") is None
    ports.tallies.add(CAMPAIGN_ID, "a", {"sent": 3}, after=None, position="10")
    ports.tallies.add(CAMPAIGN_ID, "a", {"sent": -2, "delivered": 2}, after="10", position="12")
    ports.tallies.add(CAMPAIGN_ID, "b", {"excluded:opted_out": 1, "sent": 1}, after=None, position="9")
    ports.tallies.add("other", "a", {"sent": 50}, after=None, position="1")
    for after in (None, "10", "99"):
        with pytest.raises(ConcurrentChangeError):
            ports.tallies.add(CAMPAIGN_ID, "a", {"sent": 1}, after=after, position="13")

    assert ports.tallies.position(CAMPAIGN_ID, "a") == "12"
    assert ports.tallies.counts(CAMPAIGN_ID) == {"sent": 2, "delivered": 2, "excluded:opted_out": 1}


def test_a_count_that_comes_to_nothing_is_not_shown(ports: EveryPorts) -> None:
    ports.tallies.add(CAMPAIGN_ID, "a", {"sent": 1}, after=None, position="1")
    ports.tallies.add(CAMPAIGN_ID, "a", {"sent": -1, "delivered": 1}, after="1", position="2")

    assert ports.tallies.counts(CAMPAIGN_ID) == {"delivered": 1}


def test_counts_by_time_add_up_like_all_others(ports: EveryPorts) -> None:
    ports.tallies.add(CAMPAIGN_ID, "a", {"sent": 3, "sent@0": 1, "sent@2": 2}, after=None, position="1")
    moved = {"sent": -2, "sent@2": -2, "delivered": 1, "delivered@0": 1, "failed": 1, "failed@109": 1}
    ports.tallies.add(CAMPAIGN_ID, "a", moved, after="1", position="2")
    ports.tallies.add(CAMPAIGN_ID, "b", {"delivered": 1, "delivered@3": 1}, after=None, position="1")

    assert ports.tallies.counts(CAMPAIGN_ID) == {
        "sent": 1,
        "sent@0": 1,
        "delivered": 2,
        "delivered@0": 1,
        "delivered@3": 1,
        "failed": 1,
        "failed@109": 1,
    }


def test_counts_by_variant_add_up_like_all_others_whatever_a_variant_is_called(ports: EveryPorts) -> None:
    odd = "a@2~b#x:y"
    ports.tallies.add(CAMPAIGN_ID, "a", {"sent": 3, "sent~A": 1, f"sent~{odd}": 2}, after=None, position="1")
    moved = {"sent": -1, "sent~A": -1, "delivered": 1, "delivered@0": 1, "delivered~A": 1, "opted_out~A": 1}
    ports.tallies.add(CAMPAIGN_ID, "a", moved, after="1", position="2")
    ports.tallies.add(CAMPAIGN_ID, "b", {"delivered": 1, "delivered~A": 1}, after=None, position="1")

    assert ports.tallies.counts(CAMPAIGN_ID) == {
        "sent": 2,
        f"sent~{odd}": 2,
        "delivered": 2,
        "delivered@0": 1,
        "delivered~A": 2,
        "opted_out~A": 1,
    }
