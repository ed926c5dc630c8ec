"""One loyalty campaign a week goes to the same people, over the real handlers and tables."""

from datetime import datetime, timedelta
from typing import Any

from tests.integration.conftest import Stack

OFFER: dict[str, Any] = {
    "name": "A rose",
    "category": "loyalty",
    "channel": "email",
    "content": {"subject": "A rose for you", "text": "Come by."},
}
EVERYBODY: dict[str, Any] = {**OFFER, "filter": {"all": []}}


def test_the_second_in_a_week_is_refused_with_a_time_that_is_accepted(stack: Stack) -> None:
    stack.api("PUT", "/v1/segments/vips", {"name": "VIPs", "filter": {"tag": "vip"}})
    first = stack.api("POST", "/v1/campaigns", EVERYBODY)
    refused = stack.api("POST", "/v1/campaigns", {**EVERYBODY, "filter": {"tag": "vip"}})

    assert first.status == 202
    assert (refused.status, refused.body["code"]) == (409, "loyalty_week_taken")
    free = datetime.fromisoformat(refused.body["free_again_at"])
    assert timedelta(days=7) <= free - datetime.fromisoformat(first.body["created_at"]) <= timedelta(days=7, hours=1)
    assert stack.api("POST", "/v1/campaigns", {**OFFER, "segment_id": "vips"}).status == 202
    later = {**EVERYBODY, "send_at": refused.body["free_again_at"]}
    assert stack.api("POST", "/v1/campaigns", later).status == 202
    assert len(stack.api("GET", "/v1/campaigns").body["items"]) == 3


def test_a_cancelled_one_gives_its_week_back_and_a_draft_takes_one_when_it_is_announced(stack: Stack) -> None:
    ids = [stack.api("POST", "/v1/campaigns", {**EVERYBODY, "status": "draft"}).body["campaign_id"] for _ in range(2)]

    assert stack.api("POST", f"/v1/campaigns/{ids[0]}/announce").status == 202
    assert stack.api("POST", f"/v1/campaigns/{ids[1]}/announce").status == 409
    assert stack.api("POST", f"/v1/campaigns/{ids[0]}/cancel").status == 200
    assert stack.api("POST", f"/v1/campaigns/{ids[1]}/announce").status == 202


def test_the_business_says_how_far_apart_or_that_it_does_not_matter(stack: Stack) -> None:
    assert stack.api("GET", "/v1/business").body["loyalty_interval_days"] == 7
    assert stack.api("PATCH", "/v1/business", {"loyalty_interval_days": None}).body["loyalty_interval_days"] is None
    assert [stack.api("POST", "/v1/campaigns", EVERYBODY).status for _ in range(2)] == [202, 202]
    stack.api("PATCH", "/v1/business", {"loyalty_interval_days": 1})
    assert stack.api("POST", "/v1/campaigns", EVERYBODY).status == 409
    for wrong in (0, 61, 1.5, "7"):
        refused = stack.api("PATCH", "/v1/business", {"loyalty_interval_days": wrong})
        assert (refused.status, refused.fields) == (422, ["loyalty_interval_days"])


def test_a_request_that_comes_again_gets_its_own_answer(stack: Stack) -> None:
    headers = {"Idempotency-Key": "rose-1"}
    first, again = (stack.api("POST", "/v1/campaigns", EVERYBODY, headers=headers) for _ in range(2))

    assert (again.status, again.body["campaign_id"]) == (202, first.body["campaign_id"])
