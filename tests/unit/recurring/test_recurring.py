"""Recurring campaigns in a deployment in memory, day after day."""

from copy import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.kernel.categories import Category
from rebound.kernel.errors import ConflictError, InvalidInputError
from rebound.messages.domain.vouchers import Voucher, VoucherKind, written_code
from rebound.recurring.domain.days import Every, Weekday
from rebound.recurring.domain.recurring_campaigns import Birthday, RecurringStatus, Regular
from rebound.segments.domain.selections import Selection
from rebound.templates.domain.content import EmailContent
from rebound.vouchers.application.redeem_voucher import Order
from tests.contract.campaigns.fakes import adds_up
from tests.fakes.making import BUSINESS_ID, NOON, business, customer
from tests.unit.recurring.salon import Salon

# Noon of 20 November, a Friday: 7 o'clock in New York.
TODAY = date(2026, 11, 20)
DAY = timedelta(days=1)
EVERYBODY = Selection(filter={"all": []})
VIPS = Selection(filter={"tag": "vip"})


def born(on: date, number: int = 1, **given: object) -> object:
    return customer(number, birthday=on.replace(year=1990), **given)


def salon(*customers: object, **given: object) -> Salon:
    made = Salon(business(**given))
    made.add(*customers)  # type: ignore[arg-type]
    return made


def test_somebody_whose_birthday_it_is_gets_one_message_at_the_hour_and_nobody_else_any() -> None:
    world = salon(born(TODAY), born(TODAY + DAY, 2), customer(3))
    id_ = world.set_up()

    world.live_until(NOON + timedelta(hours=1, minutes=59))
    assert world.came_of(id_) == []
    world.live_until(NOON + timedelta(hours=2, minutes=10))
    assert (world.emailed(1), world.emailed(2)) == (1, 0)
    world.live_until(NOON + 3 * DAY)

    assert world.days_of(id_) == [TODAY, TODAY + DAY]
    assert [world.emailed(number) for number in (1, 2, 3)] == [1, 1, 0]
    assert all(adds_up(view) and view.audience.matched == 1 for view in world.came_of(id_))


def test_each_year_again_and_29_february_on_the_28th_in_other_years() -> None:
    world = salon(customer(1, birthday=date(2000, 2, 29)), customer(2, birthday=date(1988, 3, 1)))
    id_ = world.set_up()
    for year in (2027, 2028):
        world.clock.move_to(datetime(year, 2, 27, 12, tzinfo=UTC))
        world.live_until(datetime(year, 3, 2, 23, tzinfo=UTC))

    assert world.days_of(id_) == [date(2027, 2, 28), date(2027, 3, 1), date(2028, 2, 29), date(2028, 3, 1)]
    assert (world.emailed(1), world.emailed(2)) == (2, 2)


def test_days_before_the_birthday_also_over_the_end_of_a_year() -> None:
    world = salon(customer(1, birthday=date(1990, 1, 3)))
    id_ = world.set_up(audience=Birthday(days_before=7))
    world.clock.move_to(datetime(2026, 12, 26, tzinfo=UTC))
    world.live_until(datetime(2027, 1, 5, tzinfo=UTC))

    assert world.days_of(id_) == [date(2026, 12, 27)]


def test_local_by_each_customers_own_clock_and_one_occurrence_for_each_hour() -> None:
    zones = ("Asia/Kolkata", "Europe/Berlin", None, "Pacific/Honolulu", "Pacific/Kiritimati")
    people = [born(TODAY + DAY, number, time_zone=zone) for number, zone in enumerate(zones, start=1)]
    world = salon(*people)
    id_ = world.set_up(local=True)
    world.live_until(NOON + 3 * DAY)

    hours = sorted((view.campaign.created_at - NOON) / timedelta(hours=1) for view in world.came_of(id_))
    # 9 o'clock of the 21st there, as hours after noon of the 20th in UTC.
    assert [round(hour, 1) for hour in hours] == [7.0, 15.5, 20.0, 26.0, 31.0]
    assert [world.emailed(number) for number in range(1, 6)] == [1] * 5
    assert set(world.days_of(id_)) == {TODAY + DAY}


def test_a_birthday_that_is_imported_late_on_the_day_is_celebrated_once() -> None:
    world = salon(customer(1))
    id_ = world.set_up()
    world.live_until(NOON + timedelta(hours=6))
    known = world.customers.get(BUSINESS_ID, customer(1).customer_id)
    world.customers.save([known.changed(world.clock.now(), birthday=date(1990, 11, 20))], [])
    world.live_until(NOON + timedelta(hours=8))
    assert world.emailed() == 1

    known = world.customers.get(BUSINESS_ID, customer(1).customer_id)
    world.customers.save([known.changed(world.clock.now(), birthday=date(1990, 11, 21))], [])
    world.live_until(NOON + 3 * DAY)

    assert (world.emailed(), world.days_of(id_)) == (1, [TODAY])


def test_every_week_and_every_month_for_whom_the_filter_matches_then() -> None:
    world = salon(customer(1, general_tags=("vip",)), customer(2))
    weekly = world.set_up(audience=Regular(VIPS, Every(weekday=Weekday.SUNDAY)))
    monthly = world.set_up(audience=Regular(EVERYBODY, Every(day_of_month=31)))
    world.live_until(NOON + 12 * DAY)

    assert world.days_of(weekly) == [date(2026, 11, 22), date(2026, 11, 29)]
    assert world.days_of(monthly) == [date(2026, 11, 30)]
    assert (world.emailed(1), world.emailed(2)) == (3, 1)


@pytest.mark.parametrize("hour", [8, 9, 11])
def test_loyalty_each_week_fits_its_own_weeks_and_keeps_others_away(hour: int) -> None:
    world = salon(customer(1), loyalty_interval_days=7)
    each_friday = Regular(EVERYBODY, Every(weekday=Weekday.FRIDAY))
    weekly = world.set_up(audience=each_friday, category=Category.LOYALTY)
    world.live_until(NOON + 3 * DAY)
    world.change(weekly, at=time(hour))
    world.live_until(NOON + 15 * DAY)

    assert [view.campaign.status for view in world.came_of(weekly)] == [CampaignStatus.COMPLETED] * 3
    with pytest.raises(ConflictError, match="free again at 2026-12-11T05:00:00"):
        world.post(category=Category.LOYALTY, selection=EVERYBODY)


def test_an_empty_occurrence_makes_no_campaign() -> None:
    world = salon(customer(1))
    id_ = world.set_up(audience=Regular(VIPS, Every(weekday=Weekday.SUNDAY)))
    world.live_until(NOON + 12 * DAY)

    assert world.came_of(id_) == []
    assert world.campaigns.page(BUSINESS_ID, 10, None).items == []


def test_what_is_switched_on_in_the_middle_of_a_day_begins_with_the_next_hour_unless_there_is_a_backlog() -> None:
    world = salon(born(TODAY))
    world.live_until(NOON + timedelta(hours=4))
    without = world.set_up()
    with_it = world.set_up(backlog=True)
    world.live_until(NOON + timedelta(hours=5))

    assert (world.days_of(without), world.days_of(with_it)) == ([], [TODAY])


def test_off_is_off_and_on_again_makes_up_for_what_came_while_it_was_on() -> None:
    world = salon(born(TODAY), born(TODAY + DAY, 2))
    id_ = world.set_up()
    world.live_until(NOON + timedelta(hours=1, minutes=30))
    world.clock.move_to(NOON + timedelta(hours=2, seconds=5))
    # The hour has come, and nobody has looked yet.
    world.change(id_, status=RecurringStatus.OFF)
    world.live_until(NOON + timedelta(hours=3))
    assert world.emailed(1) == 0
    world.change(id_, status=RecurringStatus.ON)
    world.live_until(NOON + timedelta(hours=4))
    assert world.emailed(1) == 1

    world.change(id_, status=RecurringStatus.OFF)
    world.live_until(NOON + DAY + timedelta(hours=3))
    world.change(id_, status=RecurringStatus.ON)
    world.live_until(NOON + 3 * DAY)
    assert (world.emailed(1), world.emailed(2)) == (1, 0)


@pytest.mark.parametrize(("hour", "emailed"), [(8, 1), (10, 1), (15, 1)])
def test_an_hour_that_is_changed_neither_repeats_nor_skips(hour: int, emailed: int) -> None:
    world = salon(born(TODAY))
    id_ = world.set_up(at=time(hour))
    world.live_until(NOON + timedelta(hours=3, minutes=30))
    for other in (11, 7, 23, 12):
        world.change(id_, at=time(other))
        world.live_until(world.clock.now() + timedelta(minutes=10))
    world.live_until(NOON + 2 * DAY)

    assert (world.emailed(), world.days_of(id_)) == (emailed, [TODAY])


@pytest.mark.parametrize(("hours", "happens"), [(20, True), (30, False)])
def test_a_stack_that_was_down_catches_up_within_the_hours(hours: int, happens: bool) -> None:
    world = salon(customer(1))
    id_ = world.set_up(audience=Regular(EVERYBODY, Every(weekday=Weekday.SATURDAY)))
    world.live_until(NOON + timedelta(hours=1))
    world.clock.move_to(NOON + DAY + timedelta(hours=2 + hours))
    world.live_until(world.clock.now() + timedelta(hours=1))

    assert (world.days_of(id_) == [TODAY + DAY]) is happens
    world.live_until(NOON + 9 * DAY)
    assert world.emailed() == 1 + happens


def test_what_is_removed_sends_nothing_more_and_leaves_what_was_sent() -> None:
    world = salon(born(TODAY), born(TODAY + DAY, 2))
    id_ = world.set_up()
    world.live_until(NOON + timedelta(hours=3))
    world.recurring_service.delete(BUSINESS_ID, id_, None)
    world.live_until(NOON + 3 * DAY)

    assert (world.emailed(1), world.emailed(2), world.days_of(id_)) == (1, 0, [TODAY])
    assert world.timers.rows == set()


def test_what_is_said_changes_for_occurrences_to_come() -> None:
    world = salon(born(TODAY), born(TODAY + DAY, 2))
    id_ = world.set_up()
    world.live_until(NOON + timedelta(hours=3))
    world.change(id_, content=EmailContent("Later", "<p>Later</p>", "Later"))
    world.live_until(NOON + 2 * DAY)

    assert [handed.subject for handed in world.mailer.handed] == ["Hello Ana1", "Later"]


def test_an_occurrence_that_would_be_refused_is_kept_as_failed() -> None:
    world = salon(born(TODAY), email_from=None)
    id_ = world.set_up()
    world.live_until(NOON + timedelta(hours=3))

    (view,) = world.came_of(id_)
    assert view.campaign.status is CampaignStatus.FAILED
    assert "email_from" in (view.campaign.failure or "")


def test_who_would_have_been_sent_to() -> None:
    world = salon(born(TODAY), born(TODAY - 29 * DAY, 2), born(TODAY - 32 * DAY, 3), born(TODAY - DAY, 4, email=None))
    world.live_until(NOON + timedelta(hours=3))
    id_ = world.set_up(status=RecurringStatus.OFF)
    assert world.recurring_service.get(BUSINESS_ID, id_).insight.would_have_sent == 2

    weekly = world.set_up(audience=Regular(EVERYBODY, Every(weekday=Weekday.MONDAY)))
    assert world.recurring_service.get(BUSINESS_ID, weekly).insight.would_have_sent == 4 * 3


def test_more_than_one_page_and_more_than_one_transaction() -> None:
    world = salon(*(born(TODAY, number) for number in range(1, 251)))
    id_ = world.set_up()
    world.live_until(NOON + timedelta(hours=4))

    (view,) = world.came_of(id_)
    assert adds_up(view)
    assert view.audience.matched == view.audience.targeted == 250
    assert len(world.mailer.handed) == 250


def test_each_occurrence_gives_vouchers_of_its_own() -> None:
    world = salon(born(TODAY), born(TODAY + DAY, 2))
    gift = Voucher(kind=VoucherKind.AMOUNT, value="10.00", currency="EUR", valid_days=14)
    says = EmailContent("Happy birthday", None, "##{{voucher_value}}: ##{{voucher_code}}")
    id_ = world.set_up(content=says, voucher=gift)
    world.live_until(NOON + 3 * DAY)

    assert [view.campaign.voucher for view in world.came_of(id_)] == [replace(gift, number=n) for n in (1, 2)]
    for number in (1, 2):
        [issued] = world.vouchers_of_customer(BUSINESS_ID, customer(number).customer_id)
        [email] = [each for each in world.mailer.emails if each.to == f"ana{number}@example.com"]
        assert f"€10.00: {written_code(issued.code)}" in email.content.text
        order = Order(customer(number).customer_id, "o-1", "25.00")
        assert world.redeem_voucher(BUSINESS_ID, issued.code, order).sale.discount == Decimal("10.00")


def test_a_voucher_that_is_over_makes_an_occurrence_that_says_so_and_sends_nothing() -> None:
    world = salon(born(TODAY + 10 * DAY))
    gift = Voucher(kind=VoucherKind.PERCENT, value="10", valid_until=(TODAY + 5 * DAY).isoformat())
    id_ = world.set_up(content=EmailContent("Happy birthday", None, "##{{voucher_code}}"), voucher=gift)
    world.live_until(NOON + 12 * DAY)

    [view] = world.came_of(id_)
    assert (view.campaign.status, world.emailed()) == (CampaignStatus.FAILED, 0)
    with pytest.raises(InvalidInputError, match="over"):
        world.set_up(voucher=gift)
