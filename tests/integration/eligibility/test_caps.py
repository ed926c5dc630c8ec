"""Caps through the API: set and refused, and what they kept back is told with the date."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rebound.businesses.domain.frequency import Frequency, HandOver
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.messages.domain.messages import MessageStatus
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, at, contacts_of, customer, id_of, message
from tests.integration.conftest import Stack

KINDS = [category.value for category in Category]
WEEKLY = {"name": "Weekly", "categories": ["marketing", "daily_deal"], "at_most": 2, "within_days": 7}
WHOLE = {**WEEKLY, "channel": None, "per_segment": False}
LOYALTY = {
    "name": "Loyalty", "categories": ["loyalty"], "channel": "email", "at_most": 1, "within_days": 7,
    "per_segment": True,
}  # fmt: skip


def test_caps_are_shown_replaced_whole_and_kept_when_something_else_changes(stack: Stack) -> None:
    assert stack.api("GET", "/v1/business").body["frequency_caps"] == []
    answer = stack.api("PATCH", "/v1/business", {"frequency_caps": [WEEKLY, LOYALTY]})
    assert (answer.status, answer.body["frequency_caps"]) == (200, [WHOLE, LOYALTY])
    stack.api("PATCH", "/v1/business", {"name": "New name"})
    assert stack.api("GET", "/v1/business").body["frequency_caps"] == [WHOLE, LOYALTY]
    # What was read can be given back; none are none.
    assert stack.api("PATCH", "/v1/business", {"frequency_caps": [LOYALTY]}).body["frequency_caps"] == [LOYALTY]
    assert stack.api("PATCH", "/v1/business", {"frequency_caps": []}).body["frequency_caps"] == []


BAD = "frequency_caps[0]"


@pytest.mark.parametrize(
    ("caps", "field", "message"),
    [
        (None, "frequency_caps", "Must be a list."),
        ({}, "frequency_caps", "Must be a list."),
        (["weekly"], BAD, "Must be an object."),
        ([{**WEEKLY, "more": 1}], f"{BAD}.more", "Is not a field of this request."),
        ([{**WEEKLY, "name": ""}], f"{BAD}.name", "Must have at least 1 character."),
        ([{**WEEKLY, "name": "a\nb"}], f"{BAD}.name", "Must be one line without control characters."),
        ([{**WEEKLY, "categories": []}], f"{BAD}.categories", "Must have at least 1 item."),
        (
            [{**WEEKLY, "categories": ["spam"]}],
            f"{BAD}.categories[0]",
            f"Must be {', '.join(map(repr, KINDS[:-1]))} or {KINDS[-1]!r}.",
        ),
        ([{**WEEKLY, "channel": "fax"}], f"{BAD}.channel", "Must be 'email' or 'sms'."),
        ([{**WEEKLY, "at_most": 0}], f"{BAD}.at_most", "Must be greater than or equal to 1."),
        ([{**WEEKLY, "at_most": 51}], f"{BAD}.at_most", "Must be less than or equal to 50."),
        ([{**WEEKLY, "at_most": 1.5}], f"{BAD}.at_most", "Must be a valid integer."),
        ([{**WEEKLY, "within_days": 91}], f"{BAD}.within_days", "Must be less than or equal to 90."),
        ([{**WEEKLY, "per_segment": "yes"}], f"{BAD}.per_segment", "Must be a valid boolean."),
        ([WEEKLY, {**LOYALTY, "name": "WEEKLY "}], "frequency_caps", "No two caps may have the same name."),
        ([{**WEEKLY, "name": str(n)} for n in range(11)], "frequency_caps", "Must have at most 10 items."),
    ],
)
def test_caps_that_cannot_be_are_refused_with_the_field_and_change_nothing(
    stack: Stack, caps: Any, field: str, message: str
) -> None:
    stack.api("PATCH", "/v1/business", {"frequency_caps": [LOYALTY]})
    answer = stack.api("PATCH", "/v1/business", {"name": "Other", "frequency_caps": caps})

    assert answer.status == 422
    assert answer.body["errors"] == [{"field": field, "message": message}]
    read = stack.api("GET", "/v1/business").body
    assert (read["name"], read["frequency_caps"]) == ("Salon Juniper", [LOYALTY])


def test_why_not_preview_and_log_say_until_when_a_cap_keeps_back(stack: Stack) -> None:
    stack.api("PATCH", "/v1/business", {"frequency_caps": [{**WEEKLY, "at_most": 1}, LOYALTY]})
    house.ports().customers.save([customer(1)], contacts_of(customer(1)))
    handed_at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    places = (
        HandOver("m1", handed_at, Category.MARKETING, Channel.SMS),
        HandOver("m2", handed_at, Category.LOYALTY, Channel.EMAIL, "vips"),
    )
    house.ports().frequencies.save(Frequency(BUSINESS_ID, id_of(1), places), handed_at)
    left_out = message(1, MessageStatus.EXCLUDED, reason="frequency_cap", free_again_at=at(0))
    house.ports().messages.record_new([left_out])
    free = f"{handed_at + timedelta(days=7):%Y-%m-%dT%H:%M:%S}.000Z"

    def why_not(category: str, **query: str) -> Any:
        path = f"/v1/customers/{id_of(1)}/reachability"
        return stack.api("GET", path, query={"channel": "email", "category": category, **query}).body

    told = why_not("marketing")
    assert told["verdict"]["reason"] == "frequency_cap"
    (rule,) = (rule for rule in told["rules"] if rule["rule"] == "frequency_cap")
    assert rule["looked_at"] == {
        "caps": [{"name": "Weekly", "counted": 1, "at_most": 1, "within_days": 7, "per_segment": False}],
        "segment_id": None,
        "free_again_at": free,
    }
    assert [why_not("loyalty", **q)["verdict"]["decision"] for q in ({"segment_id": "vips"}, {})] == ["exclude", "send"]
    assert why_not("reminder")["verdict"]["decision"] == "send"
    assert told["attempts"][0]["sentence"] == "It was left out: the customer had had as many messages as a cap allows."
    assert told["attempts"][0]["free_again_at"] == "2026-11-20T12:00:00.000Z"
    log = stack.api("GET", f"/v1/customers/{id_of(1)}/messages").body["items"]
    assert [(row["reason"], row["free_again_at"]) for row in log] == [("frequency_cap", "2026-11-20T12:00:00.000Z")]

    def previewed(**given: Any) -> Any:
        return stack.api("POST", "/v1/segments/preview", {"channel": "email", **given}).body["excluded"]

    stack.api("PUT", "/v1/segments/vips", {"name": "VIPs", "filter": {"all": []}})
    assert previewed(category="marketing", filter={"all": []}) == {"frequency_cap": 1}
    assert previewed(category="loyalty", segment_id="vips") == {"frequency_cap": 1}
    assert previewed(category="loyalty", filter={"all": []}) == {}
