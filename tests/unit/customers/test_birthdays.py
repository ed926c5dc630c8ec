"""Nobody is born in the future, by the business's calendar and a day of tolerance; a membership may begin there."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.customers.application.profile_checks import checked_profile
from rebound.kernel.errors import InvalidInputError
from tests.fakes.making import BUSINESS_ID, business
from tests.fakes.world import World
from tests.unit.imports_exports.test_same_people import imported, people

NAMES = {"first_name": "Ana", "last_name": "Silva"}


@given(st.datetimes(datetime(2030, 1, 1), datetime(2060, 1, 1)), st.integers(-3, 3), st.data())  # noqa: DTZ001
def test_a_birthday_is_tomorrow_of_the_business_at_the_latest(wall: datetime, ahead: int, data: st.DataObject) -> None:
    zone = data.draw(st.sampled_from(["Pacific/Kiritimati", "UTC", "America/Los_Angeles", "Pacific/Pago_Pago"]))
    world = World(business(time_zone=zone))
    world.clock.move_to(wall.replace(tzinfo=UTC))
    day = wall.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date() + timedelta(days=ahead)
    if ahead <= 1:
        assert world.customer_service.create(BUSINESS_ID, {**NAMES, "birthday": str(day)}).customer.birthday == day
        return
    for given_fields in ({"birthday": str(day)}, {"birthday": str(day), "gender": "f"}):
        with pytest.raises(InvalidInputError) as refused:
            world.customer_service.create(BUSINESS_ID, {**NAMES, **given_fields})
        assert [(error.field, error.message) for error in refused.value.errors] == [
            ("birthday", "Must not lie in the future.")
        ]
    assert world.customers.rows == {}


def test_customer_since_may_lie_ahead_and_a_birthday_long_ago() -> None:
    world = World()
    given_fields = {**NAMES, "customer_since": "9999-12-31", "birthday": "0001-01-01"}
    found = checked_profile(
        given_fields, world.businesses.get(BUSINESS_ID), world.addresses, date(2026, 1, 1), creating=True
    )

    assert (found["customer_since"], found["birthday"]) == (date.max, date.min)


def test_a_row_whose_birthday_lies_ahead_goes_in_without_it() -> None:
    world = World()
    view = imported(world, {**NAMES, "external_id": "A", "birthday": "2999-01-01", "gender": "f"})
    [ana] = people(world)

    assert (ana.birthday, ana.gender) == (None, "f")
    assert [(each.field, each.message) for bad in view.incomplete_rows for each in bad.warnings] == [
        ("birthday", "Must not lie in the future.")
    ]
