"""Segments: who matches which filter, what a preview says of it, and campaigns to a saved one, also at a later time."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from tests.e2e.rebound_api import EVERYBODY, Json, ReboundApi, matched_and_targeted
from tests.e2e.surroundings import Calm, Settled
from tests.e2e.waiting import until

PEOPLE: Final[Mapping[str, Mapping[str, Any]]] = {
    "Ada": {"email": "ada@example.com", "gender": "f", "general_tags": ["vip", "colour"]},
    "Ben": {"email": "ben@example.com", "gender": "m", "general_tags": ["VIP"]},
    "Cleo": {"email": "cleo@example.com", "gender": "f", "time_zone": "America/Chicago"},
    "Dov": {"mobile_phone": "+14155550171", "gender": "m", "general_tags": ["colour"]},
    "Eve": {"email": "bounce+eve@simulator.amazonses.com", "general_tags": ["vip"]},
    "Fay": {"email": "complaint+fay@simulator.amazonses.com", "general_tags": ["lapsed"]},
}
VIP: Final[Json] = {"tag": "vip"}
COLOUR: Final[Json] = {"tag": "colour"}
WOMEN: Final[Json] = {"field": "gender", "equals": "f"}

FILTERS: Final[tuple[tuple[Json, set[str]], ...]] = (
    (EVERYBODY, set(PEOPLE)),
    ({"any": []}, set()),
    ({"not": EVERYBODY}, set()),
    (VIP, {"Ada", "Ben", "Eve"}),
    ({"not": VIP}, {"Cleo", "Dov", "Fay"}),
    ({"all": [VIP, COLOUR]}, {"Ada"}),
    ({"any": [VIP, COLOUR]}, {"Ada", "Ben", "Dov", "Eve"}),
    ({"all": [VIP, {"not": COLOUR}]}, {"Ben", "Eve"}),
    (WOMEN, {"Ada", "Cleo"}),
    ({"field": "time_zone", "equals": "America/Chicago"}, {"Cleo"}),
    ({"failed": "email"}, {"Eve"}),
    ({"failed": "any"}, {"Eve"}),
    ({"failed": "phone"}, set()),
    ({"all": [{"not": {"failed": "email"}}, {"any": [WOMEN, {"all": [COLOUR]}]}]}, {"Ada", "Cleo", "Dov"}),
    ({"not": {"any": [VIP, {"not": WOMEN}]}}, {"Cleo"}),
    ({"tag": "nobody-has-this"}, set()),
    ({"visits": {"at_most": 0, "within_days": 30}}, set(PEOPLE)),
    ({"all": [WOMEN, {"visits": {"at_least": 1}}]}, set()),
    ({"all": [VIP, {"membership": {"is": "never"}}, {"bookings": {"upcoming": False}}]}, {"Ada", "Ben", "Eve"}),
    ({"birthday": {"within_days": 400}}, set()),
)
NO_ADDRESS, INVALID, OPTED_OUT = {"Dov"}, {"Eve"}, {"Fay"}


@pytest.fixture(scope="module")
def ids(api: ReboundApi, calm: Calm) -> Mapping[str, str]:
    ids = {name: api.new_customer(name, "Segment", **profile) for name, profile in PEOPLE.items()}
    for name in ("Eve", "Fay"):
        api.new_message(ids[name], "email")
    calm.wait()
    # A filter reads copies of the flags, which follow a moment later.
    until(
        "Eve's email is in the list of the failed",
        lambda: [customer["first_name"] for customer in api.listing("/v1/customers", failed="email")],
        lambda names: names == ["Eve"],
    )
    return ids


@pytest.fixture(scope="module")
def scheduled(api: ReboundApi, ids: Mapping[str, str]) -> Json:
    """A campaign for a few seconds from now; other tests go on meanwhile."""
    assert ids
    api.put("/v1/segments/vips", {"name": "VIPs", "filter": VIP})
    at = (datetime.now(UTC) + timedelta(seconds=4)).isoformat()
    return api.campaign(api.new_campaign("email", segment_id="vips", send_at=at))


def _excluded(names: set[str], category: str, *, exclude_failed: bool = True) -> dict[str, int]:
    promotional = category == "marketing"
    excluded = {
        "no_address": len(names & NO_ADDRESS),
        "invalid_contact": len(names & INVALID) if promotional and exclude_failed else 0,
        "opted_out": len(names & OPTED_OUT) if promotional else 0,
    }
    return {reason: count for reason, count in excluded.items() if count}


def test_a_scheduled_campaign_waits_for_its_time(scheduled: Json) -> None:
    assert scheduled["status"] == "scheduled"
    assert scheduled["audience"] == {"matched": 0, "excluded": {}, "targeted": 0}


@pytest.mark.parametrize(("tree", "names"), FILTERS, ids=str)
@pytest.mark.parametrize("category", ["marketing", "reminder"])
def test_a_preview_counts_those_who_match_and_adds_up(
    api: ReboundApi, ids: Mapping[str, str], scheduled: Json, tree: Json, names: set[str], category: str
) -> None:
    assert ids
    assert scheduled
    preview = api.preview("email", category, filter=tree)
    matched, targeted = matched_and_targeted(preview)
    assert matched == len(names)
    assert preview["excluded"] == _excluded(names, category)
    assert targeted == len(names) - sum(preview["excluded"].values())


def test_a_preview_of_a_saved_segment_is_that_of_its_filter(api: ReboundApi, ids: Mapping[str, str]) -> None:
    assert ids
    saved = api.put("/v1/segments/colours", {"name": "Colours", "filter": {"any": [VIP, COLOUR]}})
    assert {name: saved[name] for name in ("segment_id", "name", "filter")} == {
        "segment_id": "colours",
        "name": "Colours",
        "filter": {"any": [VIP, COLOUR]},
    }
    assert api.get("/v1/segments/colours") == saved
    assert api.preview("email", segment_id="colours") == api.preview("email", filter={"any": [VIP, COLOUR]})
    # Flagged contacts come back when they are not excluded; an opt-out stays one.
    everybody = api.preview("email", filter=EVERYBODY, exclude_failed=False)
    assert everybody["excluded"] == _excluded(set(PEOPLE), "marketing", exclude_failed=False)
    replaced = api.put("/v1/segments/colours", {"name": "Women", "filter": WOMEN})
    assert (replaced["name"], replaced["filter"]) == ("Women", WOMEN)
    assert api.preview("email", segment_id="colours")["matched"] == 2
    assert [s["segment_id"] for s in api.listing("/v1/segments", limit=1)] == ["colours", "vips"]
    api.delete("/v1/segments/colours")
    assert api.call("GET", "/v1/segments/colours").status == 404


def test_a_scheduled_campaign_runs_by_itself_to_exactly_its_segment(
    api: ReboundApi, calm: Calm, ids: Mapping[str, str], scheduled: Json
) -> None:
    settled: Settled = calm.settled(api, scheduled["campaign_id"])
    assert settled.campaign["started_at"] >= scheduled["send_at"]
    assert {c: m["status"] for c, m in settled.messages.items()} == {ids["Ada"]: "delivered", ids["Ben"]: "delivered"}
    assert settled.audience == {"matched": 3, "excluded": {"invalid_contact": 1}, "targeted": 2}
