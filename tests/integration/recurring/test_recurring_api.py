"""Recurring campaigns over HTTP."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest

from tests.fakes import house
from tests.fakes.making import business
from tests.integration.conftest import Stack

PATH: Final = "/v1/recurring-campaigns"
BIRTHDAYS: Final[Mapping[str, Any]] = {
    "name": "Birthdays",
    "channel": "email",
    "category": "marketing",
    "content": {"subject": "Happy birthday", "text": "Hello ##{{first_name}}"},
    "audience": {"birthday": {"days_before": 0}},
    "at": "09:00",
}
EVERY_MONTH: Final = {"filter": {"tag": "vip"}, "every": {"day_of_month": 31}}


@pytest.fixture
def made(stack: Stack) -> Any:
    answer = stack.api("POST", PATH, BIRTHDAYS)
    assert answer.status == 201
    return answer.body


def test_it_is_posted_read_listed_and_removed(stack: Stack, made: Any) -> None:
    own = f"{PATH}/{made['recurring_campaign_id']}"
    read = stack.api("GET", own)

    assert made["audience"]["birthday"] == {"days_before": 0}
    assert (made["status"], made["local"], made["catch_up_hours"], made["backlog"]) == ("on", False, 24, False)
    assert (made["exclude_failed"], made["at"]) == (True, "09:00")
    assert made["next_occurrence_at"] is not None
    assert date.fromisoformat(made["next_occurrence_date"]) >= datetime.now(UTC).date() - timedelta(days=1)
    assert made["would_have_sent_last_30_days"]["count"] == 0
    assert read.status == 200
    assert read.headers["ETag"]
    assert {**read.body, "would_have_sent_last_30_days": None} == {**made, "would_have_sent_last_30_days": None}
    listed = stack.api("GET", PATH).body["items"]
    assert [each["recurring_campaign_id"] for each in listed] == [made["recurring_campaign_id"]]
    assert "content" not in listed[0]
    assert stack.api("GET", f"{own}/occurrences").body == {"items": [], "next_cursor": None}

    assert stack.api("DELETE", own).status == 204
    assert stack.api("GET", own).status == stack.api("DELETE", own).status == 404
    assert stack.api("GET", f"{own}/occurrences").status == 404
    assert stack.api("GET", PATH).body["items"] == []


def test_the_same_request_makes_one(stack: Stack) -> None:
    first, second = (stack.api("POST", PATH, BIRTHDAYS, headers={"Idempotency-Key": "the same"}) for _ in range(2))

    assert first.body["recurring_campaign_id"] == second.body["recurring_campaign_id"]
    assert len(stack.api("GET", PATH).body["items"]) == 1


def test_while_it_is_on_there_is_a_timer_for_the_next_look(stack: Stack) -> None:
    assert stack.api("POST", PATH, {**BIRTHDAYS, "status": "off"}).body["next_occurrence_at"] is None
    assert stack.table("TIMERS_TABLE") == []
    stack.api("POST", PATH, BIRTHDAYS)

    assert stack.table("TIMERS_TABLE") != []


def test_it_is_changed_as_it_was_read(stack: Stack, made: Any) -> None:
    own = f"{PATH}/{made['recurring_campaign_id']}"
    tag = stack.api("GET", own).headers["ETag"]
    changed = stack.api("PATCH", own, {"at": "10:30", "audience": EVERY_MONTH}, headers={"If-Match": tag})

    assert (changed.status, changed.body["at"], changed.body["name"]) == (200, "10:30", "Birthdays")
    assert changed.body["audience"]["every"] == {"weekday": None, "day_of_month": 31}
    assert changed.headers["ETag"] != tag
    for method, body in (("PATCH", {"at": "11:00"}), ("DELETE", None)):
        refused = stack.api(method, own, body, headers={"If-Match": tag})
        assert (refused.status, refused.body["code"]) == (412, "changed_meanwhile")
    assert stack.api("GET", own).body["at"] == "10:30"
    assert stack.api("PATCH", own, {"status": "off"}).body["next_occurrence_at"] is None


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"audience": {}}, "audience"),
        ({"audience": {"birthday": {}, "lost_customer": {"after_days": 30}}}, "audience"),
        ({"audience": {"filter": {"tag": "vip"}}}, "audience"),
        ({"audience": {"birthday": {}, "every": {"day_of_month": 1}}}, "audience"),
        ({"audience": {"filter": {"tag": "vip"}, "every": {}}}, "audience.every"),
        ({"audience": {"filter": {"tag": "vip"}, "every": {"day_of_month": 32}}}, "audience.every.day_of_month"),
        ({"audience": {"filter": {"tag": "vip"}, "every": {"weekday": "someday"}}}, "audience.every.weekday"),
        ({"audience": {"filter": {"tug": "vip"}, "every": {"weekday": "monday"}}}, "audience.filter"),
        ({"audience": {"segment_id": "no-such", "every": {"weekday": "monday"}}}, "audience.segment_id"),
        ({"audience": {"birthday": {"days_before": -1}}}, "audience.birthday.days_before"),
        ({"audience": {"lost_customer": {"after_days": 0}}}, "audience.lost_customer.after_days"),
        ({"audience": {"birthdays": {}}}, "audience.birthdays"),
        ({"audience": None}, "audience"),
        ({"at": "9:00"}, "at"),
        ({"at": "24:00"}, "at"),
        ({"catch_up_hours": 0}, "catch_up_hours"),
        ({"catch_up_hours": 1000}, "catch_up_hours"),
        ({"status": "paused"}, "status"),
        ({"local": "yes"}, "local"),
        ({"content": {"subject": "Hi", "text": "##{{frist_name}}"}}, "content.text"),
        ({"content": None}, "content"),
        ({"content": None, "template_id": "no-such"}, "template_id"),
        ({"catchup_hours": 3}, "catchup_hours"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_written(stack: Stack, made: Any, given: Any, field: str) -> None:
    own = f"{PATH}/{made['recurring_campaign_id']}"
    before = stack.table("DIRECTORY_TABLE"), stack.table("TIMERS_TABLE")
    for answer in (stack.api("POST", PATH, {**BIRTHDAYS, **given}), stack.api("PATCH", own, given)):
        assert answer.status == 422, answer.text
        assert any(each.startswith(field) for each in answer.fields), answer.text
    assert (stack.table("DIRECTORY_TABLE"), stack.table("TIMERS_TABLE")) == before


def test_unknown_parameters_and_methods_are_refused(stack: Stack, made: Any) -> None:
    own = f"{PATH}/{made['recurring_campaign_id']}"

    assert stack.api("GET", PATH, query={"statuss": "on"}).status == 422
    assert stack.api("GET", f"{own}/occurrences", query={"limit": "0"}).status == 422
    assert stack.api("GET", f"{own}/occurrences", query={"cursor": "nonsense"}).status == 422
    assert stack.api("PUT", own, {}).status == 405


def test_a_segment_that_is_used_is_not_deleted(stack: Stack) -> None:
    stack.api("PUT", "/v1/segments/vips", {"name": "VIPs", "filter": {"tag": "vip"}})
    audience = {"segment_id": "vips", "every": {"weekday": "friday"}}
    made = stack.api("POST", PATH, {**BIRTHDAYS, "audience": audience}).body
    own = f"{PATH}/{made['recurring_campaign_id']}"
    refused = stack.api("DELETE", "/v1/segments/vips")

    assert (refused.status, refused.body["code"]) == (409, "segment_in_use")
    assert refused.body["recurring_campaign_ids"] == [made["recurring_campaign_id"]]
    by_filter = {"filter": {"not": {"segment": "vips"}}, "every": {"weekday": "friday"}}
    assert stack.api("PATCH", own, {"audience": by_filter, "status": "off"}).status == 200
    assert stack.api("DELETE", "/v1/segments/vips").status == 409
    assert stack.api("DELETE", own).status == 204
    assert stack.api("DELETE", "/v1/segments/vips").status == 204


def test_a_template_that_is_deleted_later_is_warned_of(stack: Stack) -> None:
    says = {"name": "Hi", "channel": "email", "category": "marketing", "content": {"subject": "Hi", "text": "Hello"}}
    assert stack.api("PUT", "/v1/templates/hello", says).status in {200, 201}
    given = {**BIRTHDAYS, "template_id": "hello"}
    del given["content"]
    made = stack.api("POST", PATH, given).body
    own = f"{PATH}/{made['recurring_campaign_id']}"
    assert "template_id" not in [each["field"] for each in made["warnings"]]
    assert stack.api("DELETE", "/v1/templates/hello").status == 204

    [warning] = [each for each in stack.api("GET", own).body["warnings"] if each["field"] == "template_id"]
    assert "no such template" in warning["message"]
    assert stack.api("PATCH", own, {"name": "Still"}).status == 200


def test_what_it_would_have_been_counts_whom_the_message_may_be_sent_to(stack: Stack) -> None:
    today = datetime.now(UTC).date().replace(year=1992)
    for number, more in enumerate(({}, {"email": None})):
        person = {"first_name": "Ana", "last_name": f"Silva{number}", "email": f"ana{number}@example.com"}
        stack.api("POST", "/v1/customers", {**person, "birthday": today.isoformat(), **more})
    early = {**BIRTHDAYS, "at": "00:00", "audience": {"birthday": {"days_before": 2}}, "status": "off"}

    assert stack.api("POST", PATH, early).body["would_have_sent_last_30_days"]["count"] == 1


def test_a_business_has_its_own(stack: Stack, made: Any) -> None:
    house.ports().businesses.add(business(business_id="cedar", name="Cedar"))

    own = f"{PATH}/{made['recurring_campaign_id']}"
    for method, body in (("GET", None), ("PATCH", {"name": "Stolen"}), ("DELETE", None)):
        assert stack.api(method, own, body, business_id="cedar").status == 404
    assert stack.api("GET", PATH, business_id="cedar").body["items"] == []
