"""The nights of rankings over the real functions: swept, ranked, and the next one written."""

from datetime import timedelta
from typing import Any

import pytest

from rebound.loyalty.application.use_rankings import RANKING
from rebound.timers.domain import SHARDS, Timer
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID
from tests.integration.conftest import Stack


def waiting() -> list[Timer]:
    ports, far = house.ports(), house.ports().clock.now() + timedelta(days=9)
    found = [timer for shard in range(SHARDS) for timer in ports.timers.due(shard, far, None, 100)]
    return [timer for timer in found if timer.kind == RANKING]


def test_who_asked_for_tiers_is_ranked_in_the_night_and_the_next(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not waiting()
    stack.api("GET", "/v1/loyalty")
    [night] = waiting()
    assert night.key == BUSINESS_ID
    # As if it were night.
    due = Timer(house.ports().clock.now() - timedelta(seconds=1), night.kind, night.key)
    house.ports().timers.put([due])
    started: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "rebound.jobs.adapters.start_once", lambda _client, _arn, name, what: started.append({"name": name, **what})
    )

    assert stack.invoke("sweep_timers", {})["woken"] == 1
    assert [one["business_id"] for one in started] == [BUSINESS_ID]
    job = house.ports().jobs.get(BUSINESS_ID, started[0]["job_id"])
    assert (job.kind, job.ranges) == ("ranking", 1)
    assert waiting() == [night]
