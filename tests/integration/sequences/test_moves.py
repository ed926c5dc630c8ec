"""Versions of sequences over HTTP, and moving those who wait to the newest."""

from typing import Any

from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, customer, id_of
from tests.integration.conftest import Stack
from tests.integration.sequences.test_sequences import PATH, SEND, WELCOME, goes_on
from tests.integration.sequences.test_step_results import begin, counted

OLD = [{"id": "pause", "wait": {"days": 2}}, {"id": "bye", **SEND}]
NEW = [{"id": "hello", **SEND}, {"id": "longer", "wait": {"days": 5}}, {"id": "bye", **SEND}]
MOVE = f"{PATH}/versions/1/move"


def two_versions(stack: Stack) -> Any:
    """Two who wait in the first, one of whom has not begun, and what the second's publishing says."""
    house.ports().customers.save([customer(number) for number in range(2)], [])
    stack.api("PUT", PATH, {**WELCOME, "steps": OLD, "filter": None})
    begin(stack, 0)
    goes_on(stack)
    begin(stack, 1)
    counted(stack)
    return stack.api("PUT", PATH, {**WELCOME, "steps": NEW, "filter": None}).body


def work_through(stack: Stack, job_id: str) -> None:
    """The job is done, as its state machine has it done."""
    about = {"business_id": BUSINESS_ID, "job_id": job_id}
    while waiting := stack.invoke("run_job", about)["ranges"]:
        for number in waiting:
            stack.invoke("run_job", {**about, "range": number})


def test_publishing_says_who_is_inside_on_which_version_and_they_are_listed(stack: Stack) -> None:
    published = two_versions(stack)
    assert (published["version"], published["inside"]) == (2, [{"version": 1, "enrolments": 2}])
    assert stack.api("GET", PATH).body["inside"] == published["inside"]

    newest, first = stack.api("GET", f"{PATH}/versions").body["items"]
    assert (newest["version"], newest["enrolments"]) == (2, 0)
    assert (first["version"], first["enrolments"]) == (1, 2)
    assert [step["id"] for step in first["steps"]] == ["pause", "bye"]
    assert first["trigger"] == {"kind": "visit", "class_type": "yoga"}


def test_a_dry_run_says_who_would_be_moved_and_a_job_moves_them(stack: Stack) -> None:
    two_versions(stack)
    asked = {"steps": {"pause": "longer"}}
    dry = stack.api("POST", MOVE, {**asked, "dry_run": True})
    assert dry.status == 200
    expected = {
        "version": 1,
        "to": 2,
        "beginning": 1,
        "moves": [{"step_id": "pause", "to_step_id": "longer", "enrolments": 1}],
        "stays": [],
    }
    assert dry.body == {**expected, "job_id": None}
    assert stack.api("POST", MOVE, {"steps": {}, "dry_run": True}).body["stays"] == [
        {"step_id": "pause", "because": "not_mapped", "enrolments": 1}
    ]

    moved = stack.api("POST", MOVE, asked)
    assert (moved.status, moved.body) == (202, {**expected, "job_id": moved.body["job_id"]})
    work_through(stack, moved.body["job_id"])
    counted(stack)
    found = {each["customer_id"]: each for each in stack.api("GET", f"{PATH}/enrolments").body["items"]}
    assert {each["version"] for each in found.values()} == {2}
    assert [found[id_of(number)]["step_id"] for number in range(2)] == ["longer", None]
    assert stack.api("GET", PATH).body["inside"] == [{"version": 2, "enrolments": 2}]
    assert stack.api("GET", f"/v1/jobs/{moved.body['job_id']}").body["status"] == "completed"


def test_what_cannot_be_moved_is_refused_with_the_field(stack: Stack) -> None:
    two_versions(stack)
    wrong = stack.api("POST", MOVE, {"steps": {"paus": "longer", "bye": "longer", "pause": "bye"}})
    assert wrong.status == 422
    assert sorted(wrong.fields) == ["steps.bye", "steps.paus", "steps.pause"]
    assert wrong.body["did_you_mean"] == {"steps.paus": "pause"}
    assert stack.api("POST", f"{PATH}/versions/2/move", {"steps": {}}).fields == ["version"]
    for version, status in (("3", 404), ("0", 422), ("x", 422)):
        assert stack.api("POST", f"{PATH}/versions/{version}/move", {"steps": {}}).status == status


def test_who_waits_for_what_does_not_begin_the_newest_is_counted_as_staying(stack: Stack) -> None:
    two_versions(stack)
    ending = {"kind": "membership_expiring", "days_before": 7}
    stack.api("PUT", PATH, {**WELCOME, "steps": NEW, "filter": None, "trigger": ending})
    said = stack.api("POST", MOVE, {"steps": {"pause": "longer"}}).body

    assert (said["to"], said["beginning"]) == (3, 0)
    assert said["stays"] == [{"step_id": None, "because": "another_trigger", "enrolments": 1}]
    work_through(stack, said["job_id"])
    counted(stack)
    assert stack.api("GET", PATH).body["inside"] == [{"version": 3, "enrolments": 1}, {"version": 1, "enrolments": 1}]
