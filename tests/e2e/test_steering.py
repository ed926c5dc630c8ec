"""Pausing, resuming and cancelling a campaign that is under way."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from tests.e2e.rebound_api import Json, ReboundApi, exchange
from tests.e2e.surroundings import Calm, Settled, Twin
from tests.e2e.test_imports import imported
from tests.e2e.waiting import until

PEOPLE: Final = 250
SOME: Final = 10
LATEST: Final = timedelta(seconds=5)
"""How long after a pause was accepted something may still be handed over."""


@pytest.fixture(scope="module", autouse=True)
def people(api: ReboundApi) -> None:
    rows = ["first_name,last_name,mobile_phone"]
    rows.extend(f"Person{number},Paused,+1415555{3000 + number}" for number in range(PEOPLE))
    assert imported(api, "csv", "\n".join(rows) + "\n")["counts"]["created"] == PEOPLE


def handed_over(twin: Twin, api: ReboundApi, since: Iterable[str] = ()) -> dict[str, list[datetime]]:
    """When the twin accepted a text, by customer, leaving out sends of earlier campaigns."""
    found: dict[str, list[datetime]] = {}
    for line in map(json.loads, exchange("GET", f"{twin.url}/log").expecting(200).body.splitlines()):
        tags = line["tags"]
        if tags.get("b") == api.business_id and tags["m"] not in set(since):
            found.setdefault(tags["c"], []).append(datetime.fromisoformat(line["at"]))
    return found


def message_ids(twin: Twin, api: ReboundApi) -> set[str]:
    return {send.message_id for send in twin.sends_of(api) if send.message_id}


def begun(api: ReboundApi, twin: Twin, before: set[str]) -> str:
    """A campaign of which some texts have been handed over."""
    campaign_id = api.new_campaign("sms")
    until("some texts are handed over", lambda: len(handed_over(twin, api, before)), lambda seen: seen >= SOME)
    return campaign_id


def paused(api: ReboundApi, twin: Twin, calm: Calm, before: set[str]) -> tuple[str, Json]:
    """A campaign that was paused under way, at rest."""
    campaign_id = begun(api, twin, before)
    assert api.post(f"/v1/campaigns/{campaign_id}/pause", status=200)["status"] == "paused"
    accepted = datetime.now(UTC)
    calm.wait()
    latest = max(at for times in handed_over(twin, api, before).values() for at in times)
    assert latest - accepted < LATEST
    return campaign_id, api.campaign(campaign_id)


def test_a_pause_holds_within_seconds_and_a_resume_skips_nobody_and_repeats_nobody(
    api: ReboundApi, twin: Twin, calm: Calm
) -> None:
    before = message_ids(twin, api)
    campaign_id, at_rest = paused(api, twin, calm, before)

    assert at_rest["status"] == "paused"
    assert at_rest["results"]["queued"] > 0
    assert sum(at_rest["results"].values()) == at_rest["audience"]["targeted"] == PEOPLE

    api.post(f"/v1/campaigns/{campaign_id}/resume", status=200)
    settled = calm.settled(api, campaign_id)
    assert settled.results == {"delivered": PEOPLE}
    assert Counter(map(len, handed_over(twin, api, before).values())) == {1: PEOPLE}


def test_a_cancellation_ends_what_was_not_handed_over(api: ReboundApi, twin: Twin, calm: Calm) -> None:
    before = message_ids(twin, api)
    campaign_id, _ = paused(api, twin, calm, before)
    sent = len(handed_over(twin, api, before))

    assert api.post(f"/v1/campaigns/{campaign_id}/cancel", status=200)["status"] == "cancelled"
    settled = until(
        "everybody is accounted for",
        lambda: Settled.read(api, campaign_id),
        lambda seen: seen.adds_up and "queued" not in seen.results,
    )
    assert settled.results == {"delivered": sent, "cancelled": PEOPLE - sent}
    assert len(handed_over(twin, api, before)) == sent
    for course in ("pause", "resume"):
        assert api.call("POST", f"/v1/campaigns/{campaign_id}/{course}").status == 409


def test_steering_what_is_not_there_or_somebody_elses_is_not_found(api: ReboundApi, other: ReboundApi) -> None:
    campaign_id = api.new_campaign("email", customer_ids=["0" * 32])
    for course in ("pause", "resume", "cancel"):
        assert other.call("POST", f"/v1/campaigns/{campaign_id}/{course}").status == 404
        assert api.call("POST", f"/v1/campaigns/01J00000000000000000000000/{course}").status == 404
