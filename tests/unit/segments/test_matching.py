"""What is read to decide who matches: as little as will do, and all of it as of one moment."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

import pytest

from rebound.activity.domain.summary import Offer, Summary, Visits
from rebound.businesses.domain.business import Business
from rebound.eligibility.application.preview_audience import Question
from rebound.jobs.domain import JobKind
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.segments.application.find_customers import write_filter
from rebound.segments.application.matching import among
from rebound.segments.domain.filters import compile_filter
from rebound.segments.domain.matching import Moment
from rebound.segments.domain.selections import CustomerFilter, Selection
from rebound.sending.application import run_campaign
from tests.contract.activity.fakes import MemoryActivityBook, MemorySummaryBook
from tests.fakes.making import BUSINESS_ID, at, customer, id_of
from tests.fakes.world import World

TODAY: Final = Moment(at(0), at(0).date())
NEVER_CAME: Final[Mapping[str, Any]] = {"visits": {"at_most": 0}}
CAME: Final[Mapping[str, Any]] = {"visits": {"at_least": 1, "within_days": 30}}
WANTS_TEXTS: Final[Mapping[str, Any]] = {"consent": {"channel": "sms", "scope": "all", "is": "opted_in"}}


class CountingSummaries(MemorySummaryBook):
    """Summaries that know whose were asked for, request by request."""

    def __init__(self) -> None:
        super().__init__(MemoryActivityBook())
        self.asked: list[tuple[str, ...]] = []

    def get_many(self, business_id: str, customer_ids: Collection[str]) -> Mapping[str, Summary]:
        self.asked.append(tuple(customer_ids))
        return dict.fromkeys(customer_ids, Summary.empty())


@pytest.mark.parametrize(
    ("tree", "read"),
    [
        ({"tag": "vip"}, set()),
        (WANTS_TEXTS, set()),
        (NEVER_CAME, {1, 2, 3, 4}),
        ({"all": [NEVER_CAME, {"tag": "vip"}]}, {1, 2}),
        ({"any": [NEVER_CAME, {"tag": "vip"}]}, {3, 4}),
        ({"all": [{"any": [NEVER_CAME, {"tag": "no"}]}, {"any": [WANTS_TEXTS, {"tag": "no"}]}]}, {1, 3}),
        ({"all": [{"any": [NEVER_CAME, {"tag": "no"}]}, {"all": [CAME, {"tag": "new"}]}]}, {2}),
        ({"not": {"any": [{"not": {"tag": "vip"}}, NEVER_CAME]}}, {1, 2}),
    ],
)
def test_what_customers_did_is_read_only_where_nothing_else_decides(tree: Mapping[str, Any], read: set[int]) -> None:
    tags = {1: ("vip",), 2: ("vip", "new"), 3: (), 4: ()}
    people = [
        customer(n, general_tags=own, mobile_phone=None if n in (2, 4) else f"+1415555010{n}")
        for n, own in tags.items()
    ]
    summaries = CountingSummaries()
    among(people, compile_filter(tree, at=TODAY), World().contacts, summaries)

    assert {id_ for ids in summaries.asked for id_ in ids} == {id_of(n) for n in read}


def test_summaries_are_read_a_hundred_at_a_time() -> None:
    summaries = CountingSummaries()
    people = [customer(n) for n in range(1, 251)]
    found = among(people, compile_filter(NEVER_CAME, at=TODAY), World().contacts, summaries)

    assert found == people
    assert [len(ids) for ids in summaries.asked] == [100, 100, 50]


def test_a_campaign_whose_filter_asks_nothing_of_activity_reads_none(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.add(customer(1, general_tags=("vip",)), customer(2, email=customer(1).email, general_tags=("vip",)))
    monkeypatch.setattr(world.summaries, "get_many", None)
    view = world.run(
        world.post(selection=Selection(filter={"all": [{"tag": "vip"}, WANTS_TEXTS]})).campaign.campaign_id
    )

    assert view.audience.matched == 2
    with pytest.raises(TypeError):
        world.post(selection=Selection(filter=CAME))


def came(day: date) -> Summary:
    visit = Visits(day, day, Offer("yoga"), 1)
    return Summary(zone="UTC", written_on=day, visited=(visit,), first_visit=day, last_visit=day)


def test_a_campaign_that_is_expanded_past_midnight_means_one_day(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    today = world.businesses.get(BUSINESS_ID).local_day(world.clock.now())
    for number in range(1, 5):
        world.add(customer(number, birthday=today.replace(year=1990)))
        world.summaries.given[BUSINESS_ID, id_of(number)] = came(today - timedelta(days=30))
    monkeypatch.setattr(run_campaign, "PAGE", 1)
    posted = world.post(selection=Selection(filter={"all": [{"birthday": {"within_days": 0}}, CAME]}))
    reads = world.customers.read_range

    def slowly(*asked: Any) -> Any:
        if world.campaigns.get(BUSINESS_ID, posted.campaign.campaign_id).run_id is not None:
            world.clock.move(timedelta(hours=20))
        return reads(*asked)

    monkeypatch.setattr(world.customers, "read_range", slowly)
    view = world.run(posted.campaign.campaign_id)

    assert view.audience.matched == 4


def test_a_job_that_goes_on_tomorrow_means_the_day_on_which_it_was_asked_for() -> None:
    world = World()
    today = world.businesses.get(BUSINESS_ID).local_day(world.clock.now())
    world.add(customer(1, birthday=today.replace(year=1990)), customer(2, birthday=None))
    wanted = world.pin_filters.wanted(BUSINESS_ID, CustomerFilter(filter={"birthday": {"within_days": 0}}))
    asked = Question({"birthday": {"within_days": 0}}, Channel.EMAIL, Category.MARKETING)
    question = world.preview_audience.pin(BUSINESS_ID, asked)
    job = world.job_service.start(BUSINESS_ID, JobKind.COUNT, {"wanted": write_filter(wanted)})
    preview = world.job_service.start(BUSINESS_ID, JobKind.PREVIEW, question.written())
    clean_up = world.bulk_delete(BUSINESS_ID, wanted, None, 1)
    export = world.start_export(BUSINESS_ID, "csv", wanted)
    world.clock.move(timedelta(days=2))

    assert world.run_to_end(job).counts[0]["count"] == 1
    assert world.run_to_end(preview).counts[0]["matched"] == 1
    assert world.run_export(export.job.export_id).job.rows == 1
    assert world.run_to_end(clean_up).counts[1]["deleted"] == 1


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles"])
def test_days_are_those_of_the_business(zone: str) -> None:
    now = datetime.fromisoformat("2026-11-20T10:30:00+00:00")
    moment = Moment.of(Business(BUSINESS_ID, "B", "US", zone), now)
    summary = came(moment.today)

    assert (moment.today == date(2026, 11, 20)) is (zone == "America/Los_Angeles")
    assert compile_filter({"visits": {"at_least": 1, "within_days": 0}}, at=moment)(
        customer(1), {}, {id_of(1): summary}
    )
