"""The machine: clock, ids and patience, the fakes and the real ones."""

import re
from datetime import timedelta

import pytest

from rebound.platform.adapters.random_ids import RandomIds
from rebound.platform.adapters.system import JitteredPatience, SystemClock
from rebound.platform.ports import Clock, Ids
from tests.contract.platform.fakes import FakeClock, SeededIds
from tests.fakes.making import NOON, at


def test_patience_grows_with_every_attempt_up_to_two_seconds_and_is_never_the_same() -> None:
    waits: list[float] = []
    patience = JitteredPatience(waits.append)
    for attempt in range(1, 40):
        patience.wait(attempt)

    assert all(0 <= wait <= min(2.0, 0.05 * 2**number) for number, wait in enumerate(waits))
    assert max(waits) > 0.5
    assert len(set(waits)) == len(waits)


@pytest.mark.parametrize("clock", [SystemClock(), FakeClock()], ids=["system", "fake"])
def test_the_time_is_aware_and_in_utc(clock: Clock) -> None:
    assert clock.now().utcoffset() == timedelta()


@pytest.mark.parametrize("ids", [RandomIds(), SeededIds()], ids=["random", "seeded"])
def test_ids_have_their_forms_and_sort_by_time(ids: Ids) -> None:
    ulids = [ids.ulid(at(second)) for second in range(5)]

    assert ulids == sorted(ulids)
    assert len({ids.ulid(NOON) for _ in range(100)}) == 100
    assert all(re.fullmatch("[0-9A-HJKMNP-TV-Z]{26}", ulid) for ulid in ulids)
    assert re.fullmatch("[0-9a-f]{32}", ids.customer_id())
    assert ids.customer_id() != ids.customer_id()
    assert len(ids.secret()) >= 43
    assert re.fullmatch("[A-Za-z0-9_-]+", ids.secret())
