"""The days that loyalty campaigns claim: one suite against the fake and the table."""

import pytest

from rebound.campaigns.domain.loyalty_weeks import Claim, LoyaltyWeek
from rebound.kernel.errors import ConcurrentChangeError
from tests.fakes.house import EveryPorts
from tests.fakes.making import BUSINESS_ID, at

FIRST = Claim("first", at(0.000001), None, at(0.000001))
SECOND = Claim("second", at(90), at(90), at(1), version=3)


@pytest.mark.parametrize("audience", ["others", "segment#vips", "tier#top"])
def test_claims_are_read_as_they_were_written(ports: EveryPorts, audience: str) -> None:
    nothing = ports.loyalty_weeks.get(BUSINESS_ID, audience)
    ports.loyalty_weeks.replace(nothing.with_claim(FIRST, ()))
    ports.loyalty_weeks.replace(ports.loyalty_weeks.get(BUSINESS_ID, audience).with_claim(SECOND, ()))

    assert nothing == LoyaltyWeek(BUSINESS_ID, audience)
    assert ports.loyalty_weeks.get(BUSINESS_ID, audience).claims == (FIRST, SECOND)
    assert ports.loyalty_weeks.get(BUSINESS_ID, "segment#other").claims == ()
    assert ports.loyalty_weeks.get("another", audience).claims == ()


def test_of_two_writes_at_once_one_wins(ports: EveryPorts) -> None:
    read = ports.loyalty_weeks.get(BUSINESS_ID, "others")
    ports.loyalty_weeks.replace(read.with_claim(FIRST, ()))

    with pytest.raises(ConcurrentChangeError):
        ports.loyalty_weeks.replace(read.with_claim(SECOND, ()))
    ports.loyalty_weeks.replace(ports.loyalty_weeks.get(BUSINESS_ID, "others").without(FIRST))
    assert ports.loyalty_weeks.get(BUSINESS_ID, "others").claims == ()
    with pytest.raises(ConcurrentChangeError):
        ports.loyalty_weeks.replace(read.with_claim(SECOND, ()))
