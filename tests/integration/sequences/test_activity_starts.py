"""What customers did, told as activity, starts and ends sequences: each kind, once, in whatever order it comes."""

import json
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any, Final

import pytest

from rebound.kernel.times import write_time
from tests.fakes.aws import make
from tests.integration.conftest import Stack
from tests.integration.jobs.test_jobs import run
from tests.integration.sequences.test_sequences import SEND, goes_on, sends

LONG: Final = [{"wait": {"days": 90}}]
HOUR: Final = timedelta(hours=1)
VISIT: Final = {"event_id": "v1", "kind": "visit"}


@pytest.fixture
def ana(stack: Stack) -> str:
    given = {"first_name": "Ana", "last_name": "Silva", "email": "ana@example.com", "external_id": "ana-1"}
    return str(stack.api("POST", "/v1/customers", given).body["customer_id"])


def put(stack: Stack, kind: str, **given: Any) -> None:
    asked = {"name": "N", "status": "on", "steps": LONG, "trigger": {"kind": kind}, **given}
    answer = stack.api("PUT", "/v1/sequences/one", asked)
    assert answer.status == 200, answer.body


def ago(duration: timedelta) -> str:
    return write_time(datetime.now(UTC) - duration)


def applied(stack: Stack) -> None:
    for record in stack.received("ACTIVITY_QUEUE_URL"):
        assert stack.invoke("apply_activity", {"Records": [record]}) == {"batchItemFailures": []}
    goes_on(stack)


def did(stack: Stack, *events: dict[str, Any]) -> None:
    """They are posted together, applied, and all is done that is due."""
    told = [{"external_id": "ana-1", "at": ago(HOUR), **each} for each in events]
    answer = stack.api("POST", "/v1/activity", {"events": told})
    assert (answer.status, answer.body["errors"]) == (202, [])
    applied(stack)


def stands(stack: Stack) -> list[tuple[str, str | None]]:
    items = stack.api("GET", "/v1/sequences/one/enrolments").body["items"]
    return [(each["standing"], each["left_because"]) for each in items]


def wakes_at(stack: Stack) -> datetime:
    [one] = stack.api("GET", "/v1/sequences/one/enrolments").body["items"]
    return datetime.fromisoformat(one["wake_at"])


def test_a_membership_that_ends_begins_it_in_time_and_renewed_later_and_cancelled_not_at_all(
    stack: Stack, ana: str
) -> None:
    put(stack, "membership_expiring", trigger={"kind": "membership_expiring", "days_before": 3})
    today = datetime.now(UTC).date()

    def has(event_id: str, status: str, days: int) -> None:
        until = str(today + timedelta(days=days))
        did(
            stack,
            {"event_id": event_id, "kind": "membership", "membership_id": "m", "status": status, "until": until},
        )

    has("m1", "active", 30)
    first = wakes_at(stack)
    assert abs(first.date() - today - timedelta(days=27)) <= timedelta(days=1)
    has("m2", "active", 60)
    assert wakes_at(stack).date() - first.date() == timedelta(days=30)
    has("m3", "cancelled", 60)

    assert stands(stack) == [("left", "exit")]


STARTING: Final[dict[str, dict[str, Any]]] = {
    "renewal_failed": {"kind": "membership", "membership_id": "m", "status": "renewal_failed"},
    "package_last_credit": {"kind": "package", "package_id": "ten", "credits_left": 0},
    "visit": {"kind": "visit"},
}
ENDING: Final[dict[str, dict[str, Any]]] = {
    "booking": {"kind": "booking", "starts_at": "2027-01-01T10:00:00Z"},
    "cancellation": {"kind": "cancellation", "appointment_id": "a1"},
    "check_in": {"kind": "check_in"},
    "no_show": {"kind": "no_show"},
    "purchase": {"kind": "purchase", "amount": "5", "currency": "EUR"},
    "review": {"kind": "review", "rating": 5},
    "waiver_signed": {"kind": "waiver", "version": "2"},
}
ENDING["booking"]["starts_at"] = write_time(datetime.now(UTC) + 30 * 24 * HOUR)


@pytest.mark.parametrize("kind", STARTING)
def test_each_kind_that_starts_it_does_and_a_correction_or_taking_back_changes_nothing(
    stack: Stack, ana: str, kind: str
) -> None:
    put(stack, kind, reentry="after_exit", steps=[SEND, *LONG])
    event = {"event_id": "e1", **STARTING[kind]}
    did(stack, event)
    did(stack, {**event, "at": ago(2 * HOUR)})
    assert (sends(stack), stands(stack)) == (["Hello Ana"], [("waiting", None)])
    assert stack.api("DELETE", "/v1/activity/e1").status == 202
    applied(stack)
    assert stands(stack) == [("waiting", None)]
    assert stack.api("DELETE", f"/v1/sequences/one/enrolments/{ana}").status == 204
    did(stack, {**event, "at": ago(HOUR / 2)})
    assert (sends(stack), stands(stack)) == (["Hello Ana"], [("left", "removed")])
    did(stack, {**event, "event_id": "e2"})

    assert sends(stack) == ["Hello Ana", "Hello Ana"]


@pytest.mark.parametrize("kind", STARTING)
def test_history_starts_nothing(stack: Stack, ana: str, kind: str) -> None:
    put(stack, kind)
    did(stack, {"event_id": "e1", **STARTING[kind], "at": ago(49 * HOUR)})
    assert stands(stack) == []
    did(stack, {"event_id": "e2", **STARTING[kind], "at": ago(47 * HOUR)})

    assert stands(stack) == [("waiting", None)]


@pytest.mark.parametrize("kind", ENDING)
def test_each_kind_that_ends_it_does_if_it_happened_since(stack: Stack, ana: str, kind: str) -> None:
    put(stack, "visit", exit_on=[{"kind": kind}])
    did(stack, {**VISIT, "at": ago(2 * HOUR)})
    did(stack, {"event_id": "before", **ENDING[kind], "at": ago(3 * HOUR)})
    assert stands(stack) == [("waiting", None)]
    did(stack, {"event_id": "since", **ENDING[kind]})

    assert stands(stack) == [("left", "exit")]


def test_only_the_last_credit_of_the_package_that_is_meant_starts_it(stack: Stack, ana: str) -> None:
    put(stack, "package_last_credit", trigger={"kind": "package_last_credit", "package_id": "ten"})
    did(stack, {"event_id": "p1", "kind": "package", "package_id": "ten", "credits_left": 1})
    did(stack, {"event_id": "p2", "kind": "package", "package_id": "five", "credits_left": 0})
    assert stands(stack) == []
    did(stack, {"event_id": "p3", "kind": "package", "package_id": "ten", "credits_left": 0})

    assert stands(stack) == [("waiting", None)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_what_is_told_together_ends_alike_in_any_order_and_however_often(
    stack: Stack, ana: str, order: tuple[int, ...]
) -> None:
    put(stack, "visit", reentry="after_exit", steps=[SEND, *LONG], exit_on=[{"kind": "cancellation"}])
    events = [
        {**VISIT, "at": ago(4 * HOUR)},
        {"event_id": "c1", "kind": "cancellation", "appointment_id": "a1", "at": ago(3 * HOUR)},
        {**VISIT, "event_id": "v2", "at": ago(2 * HOUR)},
    ]
    for _ in range(2):
        did(stack, *(events[number] for number in (*order, *order)))

    [one] = stack.api("GET", "/v1/sequences/one/enrolments").body["items"]
    assert (one["standing"], one["entry_key"]) == ("waiting", "v2")
    assert sends(stack) == ["Hello Ana"]


def looks(stack: Stack) -> None:
    """What the state machine does with the jobs that look at all customers."""
    steps, arn = make("stepfunctions"), stack.settings["JOB_STATE_MACHINE_ARN"]
    for each in steps.list_executions(stateMachineArn=arn)["executions"]:
        ids = json.loads(steps.describe_execution(executionArn=each["executionArn"])["input"])
        # Executions of other tests are still there.
        if stack.api("GET", f"/v1/jobs/{ids['job_id']}").status == 200:
            run(stack, ids)
    goes_on(stack)


def test_who_enters_a_segment_by_what_they_did_begins_it_and_who_was_in_it_does_not(stack: Stack, ana: str) -> None:
    bea = {"first_name": "Bea", "last_name": "Roth", "email": "bea@example.com", "external_id": "bea-1"}
    assert stack.api("POST", "/v1/customers", bea).status == 201
    did(stack, {**VISIT, "event_id": "v0", "external_id": "bea-1"})
    regulars = {"name": "Regulars", "filter": {"visits": {"at_least": 1}}}
    assert stack.api("PUT", "/v1/segments/regulars", regulars).status in (200, 201)
    put(stack, "", trigger={"kind": "segment_entered", "segment_id": "regulars"}, steps=[SEND, *LONG])
    looks(stack)
    for _ in range(2):
        did(stack, VISIT)
    did(stack, {**VISIT, "event_id": "v2"}, {**VISIT, "event_id": "v3", "external_id": "bea-1"})

    assert sends(stack) == ["Hello Ana"]
    assert stack.api("DELETE", "/v1/segments/regulars").status == 409


def test_who_was_a_member_before_it_was_there_waits_too(stack: Stack, ana: str) -> None:
    until = str(datetime.now(UTC).date() + timedelta(days=30))
    did(stack, {"event_id": "m1", "kind": "membership", "membership_id": "m", "status": "active", "until": until})
    put(stack, "", trigger={"kind": "membership_expiring", "days_before": 3}, status="off")
    looks(stack)
    assert stands(stack) == []
    assert stack.api("PATCH", "/v1/sequences/one", {"status": "on"}).status == 200
    looks(stack)

    assert stands(stack) == [("waiting", None)]
    assert wakes_at(stack).date() > datetime.now(UTC).date() + timedelta(days=25)
