"""Recurring campaigns, marks and occurrences: one suite against the fakes and the tables."""

from copy import replace
from datetime import date, time, timedelta
from typing import Any

import pytest

from rebound.jobs.domain import JobProgress
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.recurring.domain.days import Every, Weekday
from rebound.recurring.domain.looks import Insight
from rebound.recurring.domain.marking import MOST_MARKED, Marking
from rebound.recurring.domain.recurring_campaigns import (
    Birthday,
    LostCustomer,
    Period,
    RecurringCampaign,
    RecurringStatus,
    Regular,
)
from rebound.segments.domain.segments import Segment
from rebound.segments.domain.selections import Selection
from rebound.templates.domain.content import MadeFrom, TemplateContent
from tests.fakes.house import EveryPorts
from tests.fakes.making import BUSINESS_ID, at, id_of
from tests.unit.recurring.salon import recurring

FIRST, SECOND = "01M7W6ARGFEXM6PVNM0V1C8F0N", "01M7W6C3805FEE6AD6R1F2WA02"
SERIES = f"{FIRST}#birthday"
DAY = date(2026, 11, 20)


def made(id_: str = FIRST, **given: Any) -> RecurringCampaign:
    return recurring(recurring_id=id_, created_at=at(), updated_at=at(1), **given)


@pytest.mark.parametrize(
    "given",
    [
        {"audience": Birthday(days_before=3), "periods": (Period(at(), time(9)),)},
        {"audience": LostCustomer(90), "local": True, "backlog": True, "catch_up_hours": 48},
        {"audience": Regular(Selection("vips"), Every(weekday=Weekday.SUNDAY)), "exclude_failed": False},
        {
            "audience": Regular(Selection(filter={"all": [{"tag": "vip"}]}), Every(day_of_month=31)),
            "content": TemplateContent(MadeFrom("news", None, {"season": "spring"})),
            "status": RecurringStatus.OFF,
            "periods": (Period(at(), time(9, 30), at(5), time(10)),),
        },
    ],
)
def test_it_is_kept_as_it_is(ports: EveryPorts, given: dict[str, Any]) -> None:
    ports.recurring.add(made(**given))
    found = ports.recurring.get(BUSINESS_ID, FIRST)

    assert replace(found, version=0) == made(**given)
    assert ports.recurring.page(BUSINESS_ID, 10, None).items == [found]


def test_who_writes_must_have_read_what_is_there(ports: EveryPorts) -> None:
    ports.recurring.add(made())
    with pytest.raises(ConcurrentChangeError):
        ports.recurring.add(made())
    first = ports.recurring.get(BUSINESS_ID, FIRST)
    ports.recurring.replace(first, replace(first, name="Other"))
    second = ports.recurring.get(BUSINESS_ID, FIRST)

    assert (second.name, second.version != first.version) == ("Other", True)
    with pytest.raises(ConcurrentChangeError):
        ports.recurring.replace(first, first)
    with pytest.raises(ConcurrentChangeError):
        ports.recurring.delete(first)
    ports.recurring.delete(second)
    with pytest.raises(NotFoundError):
        ports.recurring.get(BUSINESS_ID, FIRST)
    with pytest.raises(ConcurrentChangeError):
        ports.recurring.delete(second)


def test_what_begins_to_use_segments_is_written_only_if_none_was_written_since(ports: EveryPorts) -> None:
    ports.segments.put(Segment(BUSINESS_ID, "vips", "VIPs", {"tag": "vip"}, at()))
    read = ports.segments.all(BUSINESS_ID)
    regular = Regular(Selection("vips"), Every(day_of_month=1))
    by_filter = Regular(Selection(filter={"not": {"segment": "vips"}}), Every(day_of_month=1))
    ports.recurring.add(made(audience=regular), read)
    with pytest.raises(ConcurrentChangeError):
        ports.segments.delete(BUSINESS_ID, "vips", read)
    with pytest.raises(ConcurrentChangeError):
        ports.recurring.add(made(SECOND), read)
    ports.recurring.add(made(SECOND), ports.segments.all(BUSINESS_ID))
    assert ports.recurring.using(BUSINESS_ID, "vips") == [FIRST]
    second = ports.recurring.get(BUSINESS_ID, SECOND)
    with pytest.raises(ConcurrentChangeError):
        ports.recurring.replace(second, replace(second, audience=by_filter), read)
    ports.recurring.replace(second, replace(second, audience=by_filter), ports.segments.all(BUSINESS_ID))

    assert sorted(ports.recurring.using(BUSINESS_ID, "vips")) == [FIRST, SECOND]
    assert ports.recurring.using(BUSINESS_ID, "others") == ports.recurring.using("another", "vips") == []
    assert ports.segments.all(BUSINESS_ID).segments.keys() == {"vips"}


def test_the_oldest_come_first_and_only_ones_own(ports: EveryPorts) -> None:
    for id_ in (SECOND, FIRST):
        ports.recurring.add(made(id_))
    page = ports.recurring.page(BUSINESS_ID, 1, None)

    assert [each.recurring_id for each in page.items] == [FIRST]
    assert [each.recurring_id for each in ports.recurring.page(BUSINESS_ID, 1, page.next_cursor).items] == [SECOND]
    assert ports.recurring.page("another", 10, None).items == []


def test_marks_members_and_progress_are_written_together_or_not_at_all(ports: EveryPorts) -> None:
    begun = JobProgress("job", 0, 0)
    who = [Marking(id_of(number), None, DAY, "campaign-a" if number % 2 else "campaign-b") for number in range(5)]
    after = ports.marks.commit(BUSINESS_ID, SERIES, replace(begun, cursor="x"), who)

    ids = [one.customer_id for one in who]
    assert after.version == 1
    assert ports.marks.known(BUSINESS_ID, SERIES, [*ids, id_of(9)]) == dict.fromkeys(ids, DAY)
    assert ports.marks.known(BUSINESS_ID, f"{FIRST}#lost", ids) == ports.marks.known("another", SERIES, ids) == {}
    (part,) = ports.members.parts("campaign-a", None, 10)
    assert set(part.customer_ids) == {id_of(1), id_of(3)}

    for progress, one in (
        (begun, Marking(id_of(9), None, DAY, "campaign-a")),
        (after, Marking(id_of(1), None, DAY, "campaign-a")),
        (after, Marking(id_of(1), DAY - timedelta(days=1), DAY, "campaign-a")),
    ):
        with pytest.raises(ConcurrentChangeError):
            ports.marks.commit(BUSINESS_ID, SERIES, progress, [one, Marking(id_of(8), None, DAY, "campaign-a")])
    assert ports.marks.known(BUSINESS_ID, SERIES, [id_of(8), id_of(9)]) == {}
    assert len(ports.members.parts("campaign-a", None, 10)) == 1

    again = ports.marks.commit(BUSINESS_ID, SERIES, after, [Marking(id_of(1), DAY, DAY.replace(2027), "campaign-a")])
    assert again.version == 2
    first, second = ports.members.parts("campaign-a", None, 10)
    assert (first, second.customer_ids) == (part, (id_of(1),))
    assert ports.members.parts("campaign-a", first.name, 10) == [second]
    assert ports.members.parts("campaign-a", None, 1) == [first]
    assert ports.members.parts("campaign-a", second.name, 1) == []


def test_as_many_as_may_be_are_marked_together(ports: EveryPorts) -> None:
    who = [Marking(id_of(number), None, DAY, "campaign") for number in range(MOST_MARKED)]
    ports.marks.commit(BUSINESS_ID, SERIES, JobProgress("job", 0, 0), who)

    assert len(ports.marks.known(BUSINESS_ID, SERIES, [one.customer_id for one in who])) == MOST_MARKED


def test_marks_of_a_customer_are_forgotten(ports: EveryPorts) -> None:
    for series in (SERIES, f"{SECOND}#day"):
        ports.marks.commit(BUSINESS_ID, series, JobProgress(series, 0, 0), [Marking(id_of(1), None, DAY, "campaign")])
    ports.marks.forget(BUSINESS_ID, id_of(1))

    assert ports.marks.known(BUSINESS_ID, SERIES, [id_of(1)]) == {}
    assert ports.marks.known(BUSINESS_ID, f"{SECOND}#day", [id_of(1)]) == {}


def test_occurrences_are_listed_newest_first_and_each_once(ports: EveryPorts) -> None:
    for campaign_id in (FIRST, SECOND, FIRST):
        ports.occurrences.note(BUSINESS_ID, FIRST, campaign_id, DAY)
    page = ports.occurrences.page(BUSINESS_ID, FIRST, 1, None)

    assert page.items == [SECOND]
    assert ports.occurrences.page(BUSINESS_ID, FIRST, 5, page.next_cursor).items == [FIRST]
    assert ports.occurrences.page(BUSINESS_ID, SECOND, 5, None).items == []


def test_looks_begin_and_end_any_number_of_times(ports: EveryPorts) -> None:
    for job_id in (FIRST, SECOND, FIRST):
        ports.occurrences.begin(BUSINESS_ID, FIRST, job_id)
    assert ports.occurrences.under_way(BUSINESS_ID, FIRST) == [FIRST, SECOND]
    for job_id in (FIRST, FIRST, "another"):
        ports.occurrences.end(BUSINESS_ID, FIRST, job_id)

    assert ports.occurrences.under_way(BUSINESS_ID, FIRST) == [SECOND]


def test_what_looks_have_found_out(ports: EveryPorts) -> None:
    assert ports.occurrences.insight(BUSINESS_ID, FIRST) == Insight()
    insight = Insight(frozenset({0, 30}), at(1), 12, at(2))
    ports.occurrences.learn(BUSINESS_ID, FIRST, insight)

    assert ports.occurrences.insight(BUSINESS_ID, FIRST) == insight
