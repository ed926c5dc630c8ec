"""The state of each account: one suite against the fake and the tables."""

from datetime import timedelta

from rebound.rates.domain import Flow, Lane, Quota, Stop
from tests.fakes.house import EveryPorts
from tests.fakes.making import (
    BUSINESS_ID,
    at,
)

FLOW = Flow(BUSINESS_ID, Lane.BULK)


WIDTH = timedelta(seconds=2)


LATEST = at(1) + timedelta(seconds=5)


LATER = timedelta(seconds=10)
"""Longer than a state may be old."""


def test_nothing_is_known_of_an_account_at_first(ports: EveryPorts) -> None:
    state = ports.rates.current("ses", at(1))

    assert (state.quota, state.quota_read_at, state.braked_at, state.stop) == (None, None, None, None)
    assert dict(state.booked) == {}


def test_bookings_of_a_flow_follow_each_other_and_end_at_the_horizon(ports: EveryPorts) -> None:
    begins = [ports.rates.book("ses", FLOW, WIDTH, at(1), LATEST) for _ in range(5)]

    assert begins == [at(1), at(1) + WIDTH, at(1) + 2 * WIDTH, None, None]
    assert dict(ports.rates.current("ses", at(50)).booked) == {FLOW: at(1) + 3 * WIDTH}


def test_what_was_booked_and_is_over_is_not_made_up_for(ports: EveryPorts) -> None:
    ports.rates.book("ses", FLOW, WIDTH, at(1), LATEST)
    much_later = at(1) + timedelta(hours=1)

    assert ports.rates.book("ses", FLOW, WIDTH, much_later, much_later + WIDTH) == much_later


def test_each_account_and_each_flow_is_booked_by_itself(ports: EveryPorts) -> None:
    prompt = Flow(BUSINESS_ID, Lane.PROMPT)
    ports.rates.book("ses", FLOW, WIDTH, at(1), LATEST)

    assert ports.rates.book("ses", prompt, WIDTH, at(1), LATEST) == at(1)
    assert ports.rates.book("sns", FLOW, WIDTH, at(1), LATEST) == at(1)
    assert set(ports.rates.current("ses", at(80)).booked) == {FLOW, prompt}


def test_one_of_those_who_see_the_same_old_quota_asks_for_a_new_one(ports: EveryPorts) -> None:
    assert ports.rates.claim_quota("ses", None, at(1))
    assert not ports.rates.claim_quota("ses", None, at(1))
    ports.rates.keep_quota("ses", Quota(14.0, 50_000, 49_999))
    assert ports.rates.current("ses", at(1)).quota == Quota(14.0, 50_000, 49_999)
    assert ports.rates.claim_quota("ses", at(1), at(2))
    ports.rates.keep_quota("ses", Quota(500.0))
    assert ports.rates.current("ses", at(2)).quota == Quota(500.0)
    assert ports.rates.current("ses", at(2)).quota_read_at == at(2)


def test_a_swarm_of_throttles_brakes_once(ports: EveryPorts) -> None:
    ports.rates.brake("ses", 0.7, at(1))
    ports.rates.brake("ses", 0.49, at(1) + timedelta(milliseconds=900))
    swarm = ports.rates.current("ses", at(1))
    ports.rates.brake("ses", 0.49, at(1) + timedelta(seconds=1))
    later = ports.rates.current("ses", at(1) + LATER)

    assert (swarm.brake, swarm.braked_at) == (0.7, at(1))
    assert (later.brake, later.braked_at) == (0.49, at(1) + timedelta(seconds=1))


def test_a_stop_is_made_longer_and_never_shorter(ports: EveryPorts) -> None:
    ports.rates.stop("ses", Stop(at(0), at(2)))
    ports.rates.stop("ses", Stop(at(1), at(1)))
    first = ports.rates.current("ses", at(1)).stop
    ports.rates.stop("ses", Stop(at(0), at(3)))

    assert first == Stop(at(0), at(2))
    assert ports.rates.current("ses", at(1) + LATER).stop == Stop(at(0), at(3))


def test_an_account_that_was_never_throttled_is_not_braked(ports: EveryPorts) -> None:
    ports.rates.claim_quota("ses", None, at(1))
    ports.rates.keep_quota("ses", Quota(14.0))

    assert ports.rates.current("ses", at(1)).brake == 1.0
    assert ports.rates.current("ses", at(1)).released(at(1)) == 1.0
