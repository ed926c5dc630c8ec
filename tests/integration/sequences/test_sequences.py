"""Sequences over HTTP, and through the functions that go on with them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from tests.fakes import house
from tests.fakes.making import business
from tests.integration.conftest import Stack

PATH: Final = "/v1/sequences/welcome"
HELLO: Final = {"subject": "Hello ##{{first_name}}", "text": "Good to see you."}
SEND: Final[Mapping[str, Any]] = {"send": {"channel": "email", "category": "marketing", "content": HELLO}}
WELCOME: Final[Mapping[str, Any]] = {
    "name": "Welcome",
    "trigger": {"kind": "visit", "class_type": "yoga"},
    "filter": {"not": {"tag": "staff"}},
    "reentry": "after_exit",
    "status": "on",
    "steps": [
        {"id": "hello", **SEND},
        {"wait": {"days": 1, "until_local": "09:30", "weekday": "monday"}},
        {"wait": {"hours": 2, "for_event": {"kind": "booking"}}},
        {"if": {"tag": "vip"}, "then": [{"tag": {"add": "thanked"}}], "else": [{"exit": {}}]},
    ],
    "exit_on": [{"kind": "cancellation"}, {"kind": "booking", "class_type": "yoga", "goal": True}],
}


@pytest.fixture
def customer_id(stack: Stack) -> str:
    given = {"first_name": "Ana", "last_name": "Silva", "email": "ana@example.com", "external_id": "ana-1"}
    made = stack.api("POST", "/v1/customers", given)
    assert made.status == 201
    return str(made.body["customer_id"])


def put(stack: Stack, **given: Any) -> Any:
    return stack.api("PUT", PATH, {**WELCOME, **given})


def goes_on(stack: Stack) -> None:
    """Everything that is due now is done."""
    while records := stack.received("STEPS_QUEUE_URL"):
        for record in records:
            assert stack.invoke("advance_sequences", {"Records": [record]}) == {"batchItemFailures": []}


def sends(stack: Stack) -> list[str]:
    """What goes out."""
    for record in stack.received("EMAIL_QUEUE_URL"):
        stack.invoke("send_email", {"Records": [record]})
    return [each.subject for each in stack.mailer.handed]


def test_it_is_put_read_listed_switched_and_removed(stack: Stack) -> None:
    made = put(stack)
    assert made.status == 200
    assert stack.api("GET", PATH).body == made.body
    assert stack.api("GET", "/v1/sequences").body["items"] == [{**made.body, "warnings": None}]
    assert (made.body["version"], made.body["status"]) == (1, "on")
    assert made.body["trigger"] == {"kind": "visit", "class_type": "yoga"}
    assert [step["id"] for step in made.body["steps"]] == ["hello", "2", "3", "4"]
    asked = made.body["steps"][3]
    assert asked["if"] == {"tag": "vip"}
    assert (asked["then"][0]["id"], asked["else"]) == ("4.then.1", [{"id": "4.else.1", "exit": {}}])
    assert made.body["steps"][1]["wait"]["until_local"] == "09:30"
    assert made.body["exit_on"][1] == {"kind": "booking", "class_type": "yoga", "goal": True}

    assert put(stack, name="Hello").body["version"] == 1
    assert put(stack, reentry="never").body["version"] == 2
    off = stack.api("PATCH", PATH, {"status": "off"})
    assert (off.status, off.body["status"], off.body["version"]) == (200, "off", 2)
    assert stack.api("DELETE", PATH).status == 204
    assert stack.api("GET", PATH).status == stack.api("DELETE", PATH).status == 404


def test_what_was_answered_may_be_put_again(stack: Stack) -> None:
    made = put(stack).body
    asked = {name: made[name] for name in (*WELCOME, "late")}
    again = stack.api("PUT", PATH, asked)

    assert again.status == 200, again.text
    assert [again.body[name] for name in asked] == list(asked.values())
    assert again.body["steps"][3].keys() == {"id", "if", "then", "else"}


def test_it_is_changed_as_it_was_read(stack: Stack) -> None:
    tag = put(stack).headers["ETag"]
    assert stack.api("PUT", PATH, {**WELCOME, "name": "Other"}, headers={"If-Match": tag}).status == 200
    for method, body in (("PUT", WELCOME), ("DELETE", None)):
        assert stack.api(method, PATH, body, headers={"If-Match": tag}).status == 412


NO_TAGS: Final = ("x" * 65, "   ", "a\nb", "\u200b")
"""What no customer can have as a tag."""


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"trigger": {"kind": "booking"}}, ["trigger.kind"]),
        ({"trigger": {"kind": "tag_added"}}, ["trigger.tag"]),
        ({"trigger": {"kind": "visit", "tag": "vip"}}, ["trigger.tag"]),
        ({"trigger": {"kind": "membership_expiring"}}, ["trigger.days_before"]),
        ({"trigger": {"kind": "visit", "days_before": 3}}, ["trigger.days_before"]),
        ({"filter": {"tagg": "vip"}}, ["filter"]),
        ({"filter": {"segment": "none"}}, ["filter.segment"]),
        ({"steps": [{"wait": {}}]}, ["steps[0].wait"]),
        ({"steps": [{"wait": {"days": 401}}]}, ["steps[0].wait.days"]),
        ({"steps": [{"wait": {"weekday": "monday", "days": 1}}]}, ["steps[0].wait.weekday"]),
        ({"steps": [{"wait": {"until_local": "25:00"}}]}, ["steps[0].wait.until_local"]),
        ({"steps": [{"tag": {}}]}, ["steps[0].tag"]),
        *(({"steps": [{"tag": {how: tag}}]}, [f"steps[0].tag.{how}"]) for how in ("add", "remove") for tag in NO_TAGS),
        *(({"exit_on": [{"kind": "tag_added", "tag": tag}]}, ["exit_on[0].tag"]) for tag in NO_TAGS),
        ({"steps": [{}]}, ["steps[0]"]),
        ({"steps": [{**SEND, "exit": {}}]}, ["steps[0]"]),
        ({"steps": [{"if": {"tag": ""}, "then": [{"wait": {}}]}]}, ["steps[0].if.tag", "steps[0].then[0].wait"]),
        ({"steps": [{"id": "a", **SEND}, {"id": "a", **SEND}]}, ["steps"]),
        ({"steps": [{"send": {**SEND["send"], "category": "reminder"}}]}, ["steps[0].send.category"]),
        ({"steps": [{"send": {"channel": "email", "category": "marketing"}}]}, ["steps[0].send.content"]),
        (
            {"steps": [{"send": {**SEND["send"], "content": {"subject": "Hi ##{{nmae}}", "text": "x"}}}]},
            ["steps[0].send.content.subject"],
        ),
        (
            {
                "trigger": {"kind": "tag_added", "tag": "vip"},
                "steps": [{"send": {**SEND["send"], "category": "transactional"}}],
            },
            ["steps[0].send.category"],
        ),
        ({"exit_on": [{"kind": "custom"}]}, ["exit_on[0].name"]),
        ({"unknown": 1}, ["unknown"]),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_written(stack: Stack, given: dict[str, Any], fields: list[str]) -> None:
    answer = put(stack, **given)

    assert answer.status == 422, answer.text
    assert answer.fields == fields
    assert stack.api("GET", PATH).status == 404


def test_somebody_begins_by_hand_once_for_each_key(stack: Stack, customer_id: str) -> None:
    put(stack)
    asked = {"customer_id": customer_id, "entry_key": "order-1"}
    first = stack.api("POST", f"{PATH}/enrolments", asked)
    again = stack.api("POST", f"{PATH}/enrolments", {"external_id": "ana-1", "entry_key": "order-1"})
    assert (first.status, first.body, again.body) == (200, {"enrolled": True}, {"enrolled": False})
    goes_on(stack)

    assert sends(stack) == ["Hello Ana"]
    [one] = stack.api("GET", f"{PATH}/enrolments").body["items"]
    assert (one["customer_id"], one["external_id"], one["standing"]) == (customer_id, "ana-1", "waiting")
    assert one["step_id"] == "2"
    assert datetime.fromisoformat(one["wake_at"]) > datetime.now(UTC)
    assert stack.api("GET", f"{PATH}/enrolments", query={"external_id": "ana-1"}).body["items"] == [one]
    assert stack.table("TIMERS_TABLE") != []
    unknown = stack.api("POST", f"{PATH}/enrolments", {"external_id": "nobody", "entry_key": "order-1"})
    assert (unknown.status, unknown.fields) == (422, ["external_id"])
    stack.api("PATCH", PATH, {"status": "off"})
    assert stack.api("POST", f"{PATH}/enrolments", {**asked, "entry_key": "2"}).body["code"] == "sequence_off"


def test_a_visit_begins_it_and_a_cancellation_ends_it(stack: Stack, customer_id: str) -> None:
    put(stack)
    now = datetime.now(UTC)
    came = (now - timedelta(minutes=1)).isoformat()
    visit = {"event_id": "v1", "kind": "visit", "customer_id": customer_id, "at": came, "class_type": "yoga"}
    other = {**visit, "event_id": "v0", "class_type": "pilates"}
    for events in ([other], [visit], [visit]):
        assert stack.api("POST", "/v1/activity", {"events": events}).status == 202
        for record in stack.received("ACTIVITY_QUEUE_URL"):
            assert stack.invoke("apply_activity", {"Records": [record]}) == {"batchItemFailures": []}
    goes_on(stack)
    assert sends(stack) == ["Hello Ana"]
    gone = {
        "event_id": "c1",
        "kind": "cancellation",
        "customer_id": customer_id,
        "at": now.isoformat(),
        "appointment_id": "a1",
    }
    stack.api("POST", "/v1/activity", {"events": [gone]})
    for record in stack.received("ACTIVITY_QUEUE_URL"):
        stack.invoke("apply_activity", {"Records": [record]})

    [one] = stack.api("GET", f"{PATH}/enrolments").body["items"]
    assert (one["standing"], one["left_because"], one["entry_key"]) == ("left", "exit", "v1")


def test_a_segment_that_it_asks_about_stays(stack: Stack) -> None:
    stack.api("PUT", "/v1/segments/vips", {"name": "VIPs", "filter": {"tag": "vip"}})
    put(stack, filter={"segment": "vips"})

    assert stack.api("DELETE", "/v1/segments/vips").status == 409


def test_another_business_has_its_own(stack: Stack, customer_id: str) -> None:
    put(stack)
    house.ports().businesses.add(business(business_id="another"))
    elsewhere = stack.api("GET", PATH, business_id="another")

    assert elsewhere.status == 404
    assert (
        stack.api(
            "POST", f"{PATH}/enrolments", {"customer_id": customer_id, "entry_key": "1"}, business_id="another"
        ).status
        == 404
    )


def test_somebody_is_taken_out_by_hand_and_goes_on_no_more(stack: Stack, customer_id: str) -> None:
    put(stack)
    path = f"{PATH}/enrolments/{customer_id}"
    assert stack.api("DELETE", path).status == 404
    stack.api("POST", f"{PATH}/enrolments", {"customer_id": customer_id, "entry_key": "1"})
    assert [stack.api("DELETE", path).status for _ in range(2)] == [204, 204]
    goes_on(stack)

    assert sends(stack) == []
    [one] = stack.api("GET", f"{PATH}/enrolments").body["items"]
    assert (one["standing"], one["left_because"]) == ("left", "removed")
    assert stack.api("DELETE", f"/v1/sequences/nothing/enrolments/{customer_id}").status == 404


def test_a_template_is_taken_as_it_is_published_when_it_is_sent(stack: Stack, customer_id: str) -> None:
    template = {"name": "Spring", "channel": "email", "category": "marketing", "status": "published"}
    send = {"channel": "email", "category": "marketing", "template_id": "spring"}
    for subject in ("Old", "New"):
        content = {"subject": subject, "text": "Hi"}
        assert stack.api("PUT", "/v1/templates/spring", {**template, "content": content}).status == 200
        if subject == "Old":
            steps = [{"if": {"tag": "vip"}, "else": [{"send": send}]}]
            assert [put(stack, steps=steps).body["version"] for _ in range(2)] == [1, 1]
    stack.api("POST", f"{PATH}/enrolments", {"customer_id": customer_id, "entry_key": "1"})
    goes_on(stack)

    assert sends(stack) == ["New"]


@pytest.mark.parametrize(
    ("path", "steps", "field", "said"),
    [
        ("/v1/sequences/a%20b", [], "sequence_id", "Must be 1 to 64 letters, digits, - or _."),
        (PATH, [{"id": "a b", "exit": {}}], "steps[0].id", "Must be 1 to 64 letters, digits, dots, - or _."),
    ],
)
def test_what_a_name_of_your_own_may_be_is_said(
    stack: Stack, path: str, steps: list[dict[str, Any]], field: str, said: str
) -> None:
    refused = stack.api("PUT", path, {**WELCOME, "steps": steps, "filter": None})

    assert refused.status == 422
    assert {"field": field, "message": said} in refused.body["errors"]
