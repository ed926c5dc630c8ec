"""Rankings: one suite against the fake and the table."""

from datetime import date, timedelta

from rebound.loyalty.domain.ranking import Ranking
from rebound.loyalty.domain.standings import Standings
from tests.fakes.house import EveryPorts
from tests.fakes.making import BUSINESS_ID, at, id_of

RANKING = Ranking(
    at(0.000001), date(2026, 11, 30), (id_of(2), id_of(1)), is_reviewed=True, counts={"top": 2, "none": 7}
)


def test_a_ranking_is_read_as_it_was_written(ports: EveryPorts) -> None:
    assert ports.rankings.get(BUSINESS_ID) is None
    assert ports.rankings.put(BUSINESS_ID, RANKING) == RANKING
    assert ports.rankings.get(BUSINESS_ID) == RANKING
    assert ports.rankings.get("another") is None
    assert RANKING.standings == Standings(
        date(2026, 11, 30), frozenset({id_of(1), id_of(2)}), is_reviewed=True, ranked_at=RANKING.ranked_at
    )


def test_the_latest_ranking_stays_whichever_comes_last(ports: EveryPorts) -> None:
    later = Ranking(RANKING.ranked_at + timedelta(seconds=1), date(2026, 12, 1), (), is_reviewed=False)

    assert ports.rankings.put(BUSINESS_ID, later) == later
    assert ports.rankings.put(BUSINESS_ID, RANKING) == later
    assert ports.rankings.get(BUSINESS_ID) == later
    # The same once more, as a job writes it that has died.
    assert ports.rankings.put(BUSINESS_ID, later) == later


def test_the_day_of_the_last_use_is_remembered(ports: EveryPorts) -> None:
    assert ports.rankings.used_on(BUSINESS_ID) is None
    for day in (date(2026, 11, 30), date(2026, 12, 1)):
        ports.rankings.note_use(BUSINESS_ID, day)
        assert ports.rankings.used_on(BUSINESS_ID) == day
    assert ports.rankings.used_on("another") is None
