"""What is promised as the next occurrence happens at that time, and none before it."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.recurring.domain.days import DAY
from rebound.recurring.domain.recurring_campaigns import GUARD, Birthday, RecurringStatus
from tests.fakes.making import BUSINESS_ID, business, customer
from tests.unit.recurring.salon import Salon

TODAY = date(2026, 11, 20)
MIDNIGHT = datetime(2026, 11, 20, 5, tzinfo=UTC)
"""In New York."""
SLACK = timedelta(minutes=2)
HOURS = st.sampled_from([time(0), time(6, 30), time(9), time(14), time(23, 45)])
CHANGES = st.one_of(
    st.fixed_dictionaries({"at": HOURS}),
    st.fixed_dictionaries({"backlog": st.booleans()}),
    st.fixed_dictionaries({"status": st.sampled_from(RecurringStatus)}),
    st.fixed_dictionaries({"audience": st.builds(Birthday, st.integers(0, 2))}),
    st.fixed_dictionaries({"name": st.just("Other")}),
)


def salon() -> Salon:
    """Somebody's birthday is on each day."""
    world = Salon(business())
    world.add(*(customer(n, birthday=(TODAY + (n - 3) * DAY).replace(year=1990)) for n in range(1, 10)))
    return world


def keeps_its_word(world: Salon, id_: str) -> None:
    """Live until what is promised now, which happens then: each day has somebody, who may have got it already."""
    before, now = world.came_of(id_), world.clock.now()
    view = world.recurring_service.get(BUSINESS_ID, id_)
    if view.coming is None:
        assert not view.recurring.is_on
        world.live_until(now + DAY)
        assert len(world.came_of(id_)) == len(before)
        return
    day, opens = view.coming.day, view.coming.opens
    assert opens > now
    known = dict(world.marks.rows)
    world.live_until(opens + SLACK)

    new = world.came_of(id_)[len(before) :]
    feast = (day + view.recurring.audience.days_before * DAY).replace(year=1990)  # type: ignore[union-attr]
    [whose] = [each for each in world.customers.rows.values() if each.birthday == feast]
    had_it = any(customer_id == whose.customer_id for _, customer_id, _ in known)
    assert [each.campaign.occurrence_date for each in new] == ([] if had_it else [day])
    assert all(opens <= each.campaign.created_at <= opens + SLACK for each in new)


@settings(max_examples=60, deadline=None)
@given(
    at=HOURS,
    backlog=st.booleans(),
    begins=st.integers(1, 23 * 60),
    changes=st.lists(st.tuples(st.integers(10, 20 * 60), CHANGES), max_size=3),
)
def test_what_is_promised_happens_then_and_nothing_before(
    at: time, begins: int, changes: list[tuple[int, dict[str, Any]]], *, backlog: bool
) -> None:
    world = salon()
    world.live_until(MIDNIGHT + timedelta(minutes=begins))
    id_ = world.set_up(at=at, backlog=backlog)
    for minutes, change in changes:
        world.live_until(world.clock.now() + timedelta(minutes=minutes))
        world.change(id_, **change)
    keeps_its_word(world, id_)
    keeps_its_word(world, id_)


def test_a_backlog_is_promised_for_when_it_is_looked_for() -> None:
    world = salon()
    world.live_until(MIDNIGHT + timedelta(hours=12))
    id_ = world.set_up(at=time(9))
    without = world.recurring_service.get(BUSINESS_ID, id_).coming
    assert without is not None
    assert (without.day, without.opens) == (TODAY + DAY, MIDNIGHT + DAY + timedelta(hours=9))
    world.change(id_, backlog=True)
    coming = world.recurring_service.get(BUSINESS_ID, id_).coming
    assert coming is not None
    assert (coming.day, coming.opens) == (TODAY, world.clock.now() + GUARD)


def test_what_is_due_is_the_next_until_somebody_has_looked() -> None:
    world = salon()
    world.live_until(MIDNIGHT)
    id_ = world.set_up(at=time(9))
    hour = MIDNIGHT + timedelta(hours=9)
    world.live_until(hour - timedelta(minutes=1))
    world.clock.move_to(hour + timedelta(seconds=5))
    due = world.recurring_service.get(BUSINESS_ID, id_).coming
    world.live_until(hour + SLACK)
    after = world.recurring_service.get(BUSINESS_ID, id_).coming

    assert due is not None
    assert after is not None
    assert [(each.day, each.opens) for each in (due, after)] == [(TODAY, hour), (TODAY + DAY, hour + DAY)]
