"""Recurring campaigns under deaths, at every call that leaves the process, and customers who stay away (truth 14)."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from rebound.activity.domain.summary import NO_OFFER, Booking, Summary
from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.jobs.domain import JobStatus
from rebound.messages.domain.messages import MessageStatus
from rebound.recurring.domain.recurring_campaigns import LostCustomer, timer_for
from tests.contract.campaigns.fakes import adds_up
from tests.fakes.making import BUSINESS_ID, NOON, business, customer
from tests.fakes.world import Chaos
from tests.unit.recurring.salon import Salon

TODAY = date(2026, 11, 20)
DAY = timedelta(days=1)
PEOPLE = 12


def salon(count: int, seed: int = 0) -> Salon:
    world = Salon(business(), seed=seed)
    world.add(*(customer(number, birthday=TODAY.replace(year=1990)) for number in range(1, count + 1)))
    return world


@pytest.mark.parametrize("seed", range(25))
def test_each_gets_one_message_whoever_dies_or_comes_twice(seed: int) -> None:
    world = salon(PEOPLE, seed)
    id_ = world.set_up()
    world.chaos = Chaos(death=0.1, duplicate=0.2)
    world.live_until(NOON + timedelta(hours=5))
    world.chaos = Chaos()
    world.live_until(NOON + DAY)

    sent = Counter(key.customer_id for key in world.mailer.went_out)
    uncertain = sum(view.results[MessageStatus.UNCERTAIN] for view in world.came_of(id_))
    assert world.deaths
    assert max(sent.values(), default=0) <= 1
    assert PEOPLE - len(sent) <= uncertain
    assert set(world.days_of(id_)) == {TODAY}
    assert sum(view.audience.matched for view in world.came_of(id_)) == PEOPLE
    assert all(adds_up(view) and view.campaign.status is CampaignStatus.COMPLETED for view in world.came_of(id_))
    assert world.occurrences.under_way(BUSINESS_ID, id_) == []


def test_a_timer_that_wakes_again_and_two_sweeps_at_once_do_nothing_more() -> None:
    world = salon(3)
    id_ = world.set_up()
    world.live_until(NOON + timedelta(hours=2, minutes=5))
    one = world.recurring.get(BUSINESS_ID, id_)
    for hours in (2, 2, 1, 0):
        world.wake_recurring([timer_for(one, NOON + timedelta(hours=hours))] * 2)
        world.live_until(world.clock.now() + timedelta(minutes=5))

    assert len(world.came_of(id_)) == 1
    assert len(world.mailer.handed) == 3


def test_a_look_that_an_error_has_stopped_goes_on_with_the_next() -> None:
    world = salon(3)
    id_ = world.set_up()
    world.live_until(NOON + timedelta(hours=1, minutes=59))
    world.clock.move_to(NOON + timedelta(hours=2))
    world.sweep_timers(lambda: True)
    business_id, job_id, _ = world.job_runner.started.pop()
    world.run_job.work(business_id, job_id, 0, lambda: True)
    # They are marked, and nothing is sent yet.
    world.run_job.pause(business_id, job_id)
    assert world.came_of(id_) == []
    world.live_until(NOON + timedelta(hours=4))

    assert world.jobs.get(business_id, job_id).status is JobStatus.COMPLETED
    assert [view.audience.matched for view in world.came_of(id_)] == [3]


def test_without_recurring_campaigns_nothing_is_kept_or_woken() -> None:
    world = salon(3)
    world.live_until(NOON + DAY)

    assert world.timers.rows == set()
    assert world.job_runner.started == []
    assert world.marks.rows == {}


# --- customers who stay away ------------------------------------------------------------------------------------------


def visited(world: Salon, number: int, last: date | None, *bookings: date) -> None:
    """What is known of what a customer did."""
    coming = tuple(Booking(datetime(day.year, day.month, day.day, 18, tzinfo=UTC), day, NO_OFFER) for day in bookings)
    summary = Summary(zone="America/New_York", written_on=TODAY, last_visit=last, first_visit=last, bookings=coming)
    world.summaries.given[BUSINESS_ID, customer(number).customer_id] = summary


def test_who_crosses_the_line_is_told_once_for_each_last_visit() -> None:
    world = salon(4)
    visited(world, 1, TODAY - 30 * DAY)  # It is longer ago from tomorrow on.
    visited(world, 2, TODAY - 60 * DAY)  # Was lost before.
    visited(world, 3, TODAY - 30 * DAY, TODAY + 5 * DAY)
    id_ = world.set_up(audience=LostCustomer(30))
    world.live_until(NOON + 4 * DAY)
    assert [world.emailed(number) for number in range(1, 5)] == [1, 0, 0, 0]
    assert world.days_of(id_) == [TODAY + DAY]

    # The same last visit, told again, is no other one; a later one is.
    visited(world, 1, TODAY - 30 * DAY)
    world.live_until(NOON + 8 * DAY)
    visited(world, 1, TODAY + 8 * DAY)
    world.live_until(NOON + 45 * DAY)
    assert world.emailed(1) == 2
    assert world.days_of(id_)[-1] == TODAY + 39 * DAY


def test_with_a_backlog_those_who_were_lost_before_are_told_once_at_the_hour() -> None:
    world = salon(3)
    visited(world, 1, TODAY - 400 * DAY)
    visited(world, 2, TODAY - 31 * DAY, TODAY + DAY)
    id_ = world.set_up(audience=LostCustomer(30), backlog=True)
    world.live_until(NOON + 10 * DAY)

    assert [world.emailed(number) for number in (1, 2, 3)] == [1, 1, 0]
    first, second = world.came_of(id_)
    assert first.campaign.created_at < NOON + timedelta(hours=3)
    # Who had a booking is lost once that is over and they have not come.
    assert second.campaign.occurrence_date == TODAY + 2 * DAY


def test_what_a_deleted_customer_was_sent_to_for_is_forgotten() -> None:
    world = salon(1)
    world.set_up()
    world.live_until(NOON + timedelta(hours=3))
    assert world.marks.rows
    gone = world.customers.get(BUSINESS_ID, customer(1).customer_id)
    for erase in world.erasers:
        erase(gone)

    assert world.marks.rows == {}
