"""Bookings of points beside the balance: one suite against the fake and the tables."""

from copy import replace

import pytest

from rebound.customers.domain import PointsBooked
from rebound.kernel.errors import ConcurrentChangeError
from tests.contract.customers.test_customers import stored
from tests.fakes.house import EveryPorts
from tests.fakes.making import BUSINESS_ID, at, id_of

BOOKED = PointsBooked("01M7W6ARGFEXM6PVNM0V1C8F01", at(0), 10, "birthday", "Mia", 10)


def test_a_booking_is_written_with_the_balance_and_once(ports: EveryPorts) -> None:
    stored(ports, 1)
    before = ports.customers.get(BUSINESS_ID, id_of(1))
    ports.points_ledger.book(before, BOOKED)
    after = ports.customers.get(BUSINESS_ID, id_of(1))
    later = replace(BOOKED, booking_id="01M7W6ARGFEXM6PVNM0V1C8F02", delta=-3, balance=7)
    with pytest.raises(ConcurrentChangeError):
        ports.points_ledger.book(before, later)
    with pytest.raises(ConcurrentChangeError):
        ports.points_ledger.book(after, replace(BOOKED, balance=20))

    assert after == replace(before, points_balance=10, version=after.version)
    assert after.version > before.version
    assert ports.customers.get(BUSINESS_ID, id_of(1)) == after
    assert ports.points_ledger.find(BUSINESS_ID, id_of(1), BOOKED.booking_id) == BOOKED
    assert ports.points_ledger.find(BUSINESS_ID, id_of(1), later.booking_id) is None
    ports.customers.save([replace(after, last_name="Souza")], [])
    assert ports.customers.get(BUSINESS_ID, id_of(1)).points_balance == 10


def test_bookings_are_listed_newest_first_and_forgotten(ports: EveryPorts) -> None:
    stored(ports, 1)
    ids = [f"01M7W6ARGFEXM6PVNM0V1C8F0{number}" for number in range(4)]
    for id_ in ids:
        ports.points_ledger.book(ports.customers.get(BUSINESS_ID, id_of(1)), replace(BOOKED, booking_id=id_))

    def listed(before: str | None, limit: int) -> list[str]:
        return [each.booking_id for each in ports.points_ledger.before(BUSINESS_ID, id_of(1), before, limit)]

    assert listed(None, 10) == ids[::-1]
    assert listed(ids[3], 2) == [ids[2], ids[1]]
    assert listed(ids[0], 2) == []
    assert ports.points_ledger.before(BUSINESS_ID, id_of(2), None, 5) == []
    for _ in range(2):
        ports.points_ledger.forget(BUSINESS_ID, id_of(1))
    assert listed(None, 10) == []
