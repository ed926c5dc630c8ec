"""Rankings are made at night for businesses that use them, at once where there are few customers, and mean the same."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.activity.domain.summary import NO_OFFER, Summary, Visits
from rebound.jobs.domain import Job, JobKind, JobStatus
from rebound.kernel.errors import ConflictError
from rebound.loyalty.application import rank_customers, use_rankings
from rebound.loyalty.application.use_rankings import RANKING, UNUSED
from rebound.loyalty.domain.tiers import Tier
from rebound.segments.application.matching import among
from rebound.segments.domain.selections import CustomerFilter, Selection, meant_by
from tests.fakes.making import BUSINESS_ID, business, customer, id_of
from tests.fakes.watching import WorkerDiedError
from tests.fakes.world import World

DAY = timedelta(days=1)


def visited(today: date, *days_ago: int, rating: int | None = None) -> Summary:
    days = [today - each * DAY for each in days_ago]
    counted = sorted(Counter(days).items())
    return Summary(
        zone="UTC",
        written_on=today,
        visited=tuple(Visits(day, day, NO_OFFER, count) for day, count in counted),
        first_visit=min(days, default=None),
        last_visit=max(days, default=None),
        rating=rating,
    )


def world_of(*did: tuple[int, ...], seed: int = 0, rating: int | None = None, **given_: Any) -> World:
    """Customers who came so many days ago each, and have been there for long."""
    world = World(business(time_zone="UTC"), seed=seed, **given_)
    today = world.clock.now().date()
    for number, days_ago in enumerate(did, start=1):
        world.add(customer(number, customer_since=date(2000, 1, 1)))
        world.summaries.given[BUSINESS_ID, id_of(number)] = visited(today, *days_ago, rating=rating)
    return world


NEW, TOP, INACTIVE, LOYAL, NONE = (5,), (300, 200, 20, 10), (300, 200, 100), (300, 200, 100, 31), ()
EXPECTED = {"new": 1, "top": 1, "inactive": 2, "none": 1}


def test_few_customers_are_ranked_while_one_waits() -> None:
    world = world_of(NEW, TOP, INACTIVE, LOYAL, NONE)
    ranking = world.use_rankings.anew(BUSINESS_ID)

    assert ranking is not None
    assert ranking == world.rankings.get(BUSINESS_ID)
    assert dict(ranking.counts) == EXPECTED
    assert ranking.top == (id_of(2), id_of(1))
    assert not ranking.is_reviewed


def test_a_job_finds_the_same() -> None:
    world = world_of(NEW, TOP, INACTIVE, LOYAL, NONE)
    at_once = world.use_rankings.anew(BUSINESS_ID)
    assert at_once is not None
    world.rankings.latest.clear()
    view = world.run_to_end(world.start_ranking(BUSINESS_ID))

    ranking = world.rankings.get(BUSINESS_ID)
    assert view.job.status is JobStatus.COMPLETED
    assert ranking is not None
    assert (ranking.day, ranking.top, dict(ranking.counts)) == (at_once.day, at_once.top, dict(at_once.counts))


def test_one_review_anywhere_is_asked_of_everybody() -> None:
    world = world_of(NEW, TOP, INACTIVE)
    today = world.clock.now().date()
    world.summaries.given[BUSINESS_ID, id_of(3)] = visited(today, *INACTIVE, rating=4)
    ranking = world.use_rankings.anew(BUSINESS_ID)

    assert ranking is not None
    assert ranking.is_reviewed
    assert dict(ranking.counts) == {"inactive": 1, "none": 2}


def test_pages_ranges_and_deaths_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rank_customers, "PAGE", 3)
    monkeypatch.setattr("rebound.loyalty.domain.ranking.MOST_ON_TOP", 5)
    did = [(*range(1 + number % 7), 300, 200, 100) for number in range(40)]
    calm = world_of(*did, ranges=1)
    calm.run_to_end(calm.start_ranking(BUSINESS_ID))
    for seed in range(5):
        world = world_of(*did, seed=seed, ranges=4)
        world.chaos = type(world.chaos)(death=0.05)
        world.run_to_end(world.start_ranking(BUSINESS_ID))
        assert world.rankings.latest == calm.rankings.latest
    assert len(calm.rankings.latest[BUSINESS_ID].top) == 5


def test_the_nights_begin_with_the_first_use_and_end_when_nobody_asks_any_more() -> None:
    world = world_of(NEW)
    assert not world.timers.rows
    world.use_rankings.anew(BUSINESS_ID)
    world.use_rankings.anew(BUSINESS_ID)
    nights = 0
    for _ in range(UNUSED.days + 10):
        [*timers] = [timer for timer in world.timers.rows if timer.kind == RANKING]
        if not timers:
            break
        [timer] = timers
        assert timer.due_at - world.clock.now() <= DAY + timedelta(hours=1)
        world.clock.move(max(timer.due_at - world.clock.now(), timedelta()))
        before = len(rankings(world))
        for _ in range(2):
            world.rank_at_night([timer])
        world.timers.remove([timer])
        nights += len(rankings(world)) - before
    assert nights == UNUSED.days


def rankings(world: World) -> list[Job]:
    return [job for job in world.jobs.rows.values() if job.kind is JobKind.RANKING]


def test_a_night_that_died_is_made_up_for() -> None:
    world = world_of(NEW)
    world.use_rankings.anew(BUSINESS_ID)
    [timer] = world.timers.rows
    world.clock.move(timer.due_at - world.clock.now())

    def die(*_: object, **__: object) -> None:
        raise WorkerDiedError

    put, world.timers.put = world.timers.put, die  # type: ignore[method-assign]
    with pytest.raises(WorkerDiedError):
        world.rank_at_night([timer])
    world.timers.put = put  # type: ignore[method-assign]
    world.rank_at_night([timer])

    assert len(rankings(world)) == 1
    assert len({each.due_at for each in world.timers.rows}) == 2


def test_a_large_business_is_told_to_wait_for_its_first_ranking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rank_customers, "FEW", 1)
    world = world_of(NEW, TOP)
    mine = world.businesses.get(BUSINESS_ID)
    for _ in range(2):
        with pytest.raises(ConflictError) as refusal:
            world.use_rankings.standings(mine, world.clock.now())
        assert refusal.value.code == "not_ranked_yet"
    due = [timer for timer in world.timers.rows if timer.due_at <= world.clock.now()]
    for _ in range(2):
        world.rank_at_night(due)
    [job] = rankings(world)
    world.run_to_end(world.job_service.get(BUSINESS_ID, job.job_id))

    standings = world.use_rankings.standings(mine, world.clock.now() + 3 * DAY)
    assert standings.top == {id_of(1), id_of(2)}
    assert standings.day == world.clock.now().date() + 3 * DAY


DID = st.lists(st.lists(st.integers(0, 120), max_size=6).map(tuple), min_size=1, max_size=12)


@settings(max_examples=30, deadline=None)
@given(DID, st.sampled_from([None, 3, 4]))
def test_everybody_is_counted_once(did: list[tuple[int, ...]], rating: int | None) -> None:
    world = world_of(*did, rating=rating)
    ranking = world.use_rankings.anew(BUSINESS_ID)

    assert ranking is not None
    assert sum(ranking.counts.values()) == len(did)
    assert ranking.counts.keys() <= {*map(str, Tier), "none"}


def change(world: World, number: int, days_ago: tuple[int, ...], rating: int | None) -> None:
    """What a customer did changes, a while after it was last asked for."""
    world.clock.move(timedelta(seconds=1))
    today = world.clock.now().date()
    world.summaries.given[BUSINESS_ID, id_of(number)] = visited(today, *days_ago, rating=rating)


CHANGES = st.lists(
    st.tuples(st.integers(1, 4), st.lists(st.integers(0, 120), max_size=6).map(tuple), st.sampled_from([None, 2, 5])),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(CHANGES)
def test_few_customers_are_of_the_same_tier_wherever_it_is_asked(changes: list[Any]) -> None:
    """In the counts, in the summary, and in a filter as it is fixed for lists, previews and campaigns."""
    world = world_of(NEW, TOP, INACTIVE, LOYAL)
    world.use_rankings.anew(BUSINESS_ID)
    for each in changes:
        change(world, *each)
        now = world.clock.now()
        in_filters: dict[str, Tier] = {}
        for tier in Tier:
            selection = world.pin_filters.at(BUSINESS_ID, Selection(filter={"tier": tier}), now)
            people = [world.customers.get(BUSINESS_ID, id_of(number)) for number in range(1, 5)]
            found = among(people, meant_by(selection), world.contacts, world.summaries)
            in_filters |= {who.customer_id: tier for who in found}
            assert selection.ranked_at == now
        in_summaries: dict[str, Tier] = {}
        for who in people:
            summary = world.summaries.get_many(BUSINESS_ID, [who.customer_id])[who.customer_id]
            of_one, ranked_at = world.tier_of_customer(who, summary)
            assert ranked_at == (now if summary.first_visit is not None else None)
            in_summaries |= {} if of_one is None else {who.customer_id: of_one}
        world.rankings.latest.clear()
        counted = world.use_rankings.anew(BUSINESS_ID)

        assert in_filters == in_summaries
        assert counted is not None
        assert Counter(in_filters.values()) == {tier: n for tier, n in counted.counts.items() if tier != "none"}


def test_pages_of_one_list_go_by_one_ranking() -> None:
    world = world_of(NEW, LOYAL)
    wanted = CustomerFilter(filter={"tier": "loyal"})
    first = world.pin_filters.wanted(BUSINESS_ID, wanted)
    change(world, 2, TOP, None)
    second = world.pin_filters.wanted(BUSINESS_ID, wanted, is_next_page=True)
    anew = world.pin_filters.wanted(BUSINESS_ID, wanted)

    ranked_at = [None if each.as_of is None else each.as_of.ranked_at for each in (first, second, anew)]
    assert ranked_at == [world.clock.now() - timedelta(seconds=1)] * 2 + [world.clock.now()]


def test_many_customers_are_not_read_again_because_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_of(NEW, TOP, LOYAL)
    mine = world.businesses.get(BUSINESS_ID)
    made = world.use_rankings.anew(BUSINESS_ID)
    assert made is not None
    world.clock.move(timedelta(hours=1))
    monkeypatch.setattr(use_rankings, "FEW", 2)
    monkeypatch.setattr(rank_customers, "FEW", 2)

    def read(*_: object) -> None:
        raise AssertionError("customers are read")

    monkeypatch.setattr(world.customers, "read_range", read)
    assert world.use_rankings.standings(mine, world.clock.now()).ranked_at == made.ranked_at
    assert world.use_rankings.anew(BUSINESS_ID) == made


def test_who_asks_for_no_tier_is_ranked_every_two_days_for_the_summary_alone() -> None:
    world = world_of(NEW, TOP)
    who = world.customers.get(BUSINESS_ID, id_of(2))
    seen = []
    for _ in range(4):
        summary = world.summaries.get_many(BUSINESS_ID, [id_of(2)])[id_of(2)]
        seen.append(world.tier_of_customer(who, summary)[1])
        world.clock.move(DAY)

    assert seen[0] == seen[1] != seen[2] == seen[3]
    assert not world.timers.rows
