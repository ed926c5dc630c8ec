"""What was counted of a sequence: one suite against the fake and the table."""

import pytest

from rebound.kernel.errors import ConcurrentChangeError
from tests.fakes.house import EveryPorts
from tests.fakes.making import BUSINESS_ID

UID = "01M7W6ARGFEXM6PVNM0V1C8F0N"


def test_counts_add_up_over_shards_and_only_from_the_position_that_was_read(ports: EveryPorts) -> None:
    tallies = ports.step_tallies
    assert tallies.position(BUSINESS_ID, UID, "a") is None
    tallies.add(BUSINESS_ID, UID, "a", {"1|waiting|2": 3, "1|entered|": 3}, after=None, position="10")
    tallies.add(BUSINESS_ID, UID, "a", {"1|waiting|2": -3, "1|passed|2": 3}, after="10", position="12")
    tallies.add(BUSINESS_ID, UID, "b", {"1|entered|": 1}, after=None, position="9")
    tallies.add(BUSINESS_ID, "another", "a", {"1|entered|": 50}, after=None, position="1")
    tallies.add("another", UID, "a", {"1|entered|": 50}, after=None, position="1")
    for after in (None, "10"):
        with pytest.raises(ConcurrentChangeError):
            tallies.add(BUSINESS_ID, UID, "a", {"1|entered|": 1}, after=after, position="13")

    assert tallies.position(BUSINESS_ID, UID, "a") == "12"
    assert tallies.counts(BUSINESS_ID, UID) == {"1|entered|": 4, "1|passed|2": 3}


def test_what_was_counted_of_a_sequence_is_removed_with_it(ports: EveryPorts) -> None:
    tallies = ports.step_tallies
    for uid in (UID, "another"):
        tallies.add(BUSINESS_ID, uid, "a", {"1|entered|": 1}, after=None, position="1")
    tallies.delete(BUSINESS_ID, UID)

    assert tallies.counts(BUSINESS_ID, UID) == {}
    assert tallies.counts(BUSINESS_ID, "another") == {"1|entered|": 1}


def test_what_comes_late_of_a_sequence_that_is_gone_is_counted_nowhere(ports: EveryPorts) -> None:
    tallies = ports.step_tallies
    tallies.add(BUSINESS_ID, UID, "a", {"1|entered|": 1}, after=None, position="1")
    for _ in range(2):
        tallies.delete(BUSINESS_ID, UID)
    # Who had read before it was removed begins anew, as after any other race.
    with pytest.raises(ConcurrentChangeError):
        tallies.add(BUSINESS_ID, UID, "a", {"1|entered|": -1}, after="1", position="2")
    assert tallies.position(BUSINESS_ID, UID, "a") is None
    for shard in ("a", "b"):
        tallies.add(BUSINESS_ID, UID, shard, {"1|waiting|": -1}, after=None, position="2")

    assert tallies.counts(BUSINESS_ID, UID) == {}
    tallies.add(BUSINESS_ID, "another", "a", {"1|entered|": 1}, after=None, position="2")
    assert tallies.counts(BUSINESS_ID, "another") == {"1|entered|": 1}
