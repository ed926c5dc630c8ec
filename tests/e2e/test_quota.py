"""SES's rate and daily quota on the deployed stack, as the account has them: kept, told, and gone on from."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import pytest

from tests.e2e.rebound_api import ReboundApi
from tests.e2e.surroundings import Calm, EmbeddedAws, Twin, forget_the_pace
from tests.e2e.test_imports import imported
from tests.e2e.waiting import until

PEOPLE: Final = 260
QUOTA: Final = 120
"""Two chunks and a part of the third."""
RATE: Final = 25
"""Emails a second."""
LARGEST_CHUNK: Final = 50
STOPPED: Final = 10.0
"""Seconds through which nothing may go out; the rest would have gone within them."""
A_STOP: Final = 180.0
"""Seconds: two stops of a minute each, and until all has come back to its lane."""


@pytest.fixture
def small_account(twin: Twin, aws: EmbeddedAws, calm: Calm) -> Iterator[Twin]:
    """The twin with a small quota for the time of a test; everybody asks for it anew before and after."""
    calm.wait()
    twin.allow(MaxSendRate=RATE, Max24HourSend=QUOTA, SentLast24Hours=0)
    forget_the_pace(aws)
    yield twin
    twin.allow_everything()
    forget_the_pace(aws)


def emails(twin: Twin, api: ReboundApi) -> list[datetime]:
    """When the twin accepted each of the business's emails."""
    return sorted(send.at for send in twin.sends_of(api))


def keeps_the_rate(times: list[datetime]) -> bool:
    """Whether never more had gone out than the rate allows since the first, and one chunk and two seconds beyond."""
    since = times[0]
    return all(n <= (at - since).total_seconds() * RATE + LARGEST_CHUNK + 2 * RATE for n, at in enumerate(times, 1))


def test_a_campaign_over_the_daily_quota_stops_says_so_and_goes_on_when_it_is_renewed(
    small_account: Twin, api: ReboundApi, calm: Calm
) -> None:
    twin = small_account
    rows = ["first_name,last_name,email", *(f"Person{n},Quota,person{n}@quota.example.com" for n in range(PEOPLE))]
    assert imported(api, "csv", "\n".join(rows) + "\n")["counts"]["created"] == PEOPLE

    campaign_id = api.new_campaign("email")
    until("the quota is used up", lambda: len(emails(twin, api)), lambda sent: sent >= QUOTA, 120)
    held = until(
        "it says that it waits", lambda: api.campaign(campaign_id), lambda seen: seen["held_until"] is not None
    )
    time.sleep(STOPPED)
    before = emails(twin, api)
    assert held["held_because"] == "daily_quota"
    assert datetime.fromisoformat(held["held_until"]) > before[-1]
    assert api.campaign(campaign_id)["status"] == "sending"
    assert api.campaign(campaign_id)["results"]["queued"] >= PEOPLE - QUOTA
    assert len(before) == QUOTA
    assert keeps_the_rate(before)

    twin.allow(Max24HourSend=5_000_000, SentLast24Hours=0)
    renewed_at = datetime.now(UTC)
    until("everybody has it", lambda: len(emails(twin, api)), lambda sent: sent >= PEOPLE, A_STOP)
    settled = calm.settled(api, campaign_id)
    after = [at for at in emails(twin, api) if at > renewed_at]

    assert settled.results == {"delivered": PEOPLE}
    assert settled.campaign["held_until"] is None
    assert set(Counter(send.message_id for send in twin.sends_of(api)).values()) == {1}
    assert len(after) == PEOPLE - QUOTA
    assert keeps_the_rate(after)
