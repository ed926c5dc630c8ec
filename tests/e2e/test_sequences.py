"""A sequence of five steps on the deployed stack: with a wait, a condition, an exit, and a pause in between."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from tests.e2e.rebound_api import ReboundApi, exchange, few_at_once
from tests.e2e.surroundings import RUN, Calm, Twin
from tests.e2e.waiting import until

SEQUENCE: Final = f"after-visit-{RUN}"
PATH: Final = f"/v1/sequences/{SEQUENCE}"


def send(subject: str) -> dict[str, Any]:
    content = {"subject": subject, "text": "Hello ##{{first_name}}"}
    return {"send": {"channel": "email", "category": "marketing", "content": content}}


def counted(total: Any) -> tuple[int, ...]:
    """Who began, is inside, came to the end and left before it; who came to the first step, and who matched."""
    first, asked = total["steps"][0], total["steps"][2]
    return (
        total["entered"],
        total["inside"],
        total["left"]["ended"],
        total["left"]["exit"],
        first["entered"],
        asked["then"],
    )


TOGETHER: Final = 40
SOME: Final = 5
LATEST: Final = timedelta(seconds=5)
"""How long after it was switched off something may still be handed over."""

WANTED: Final[dict[str, Any]] = {
    "name": "After a visit",
    "trigger": {"kind": "visit"},
    "status": "on",
    "steps": [
        {"id": "thanks", **send("Thank you")},
        {"id": "rest", "wait": {"seconds": 20}},
        {"if": {"tag": "vip"}, "then": [{"id": "gift", **send("A gift")}], "else": [{"tag": {"add": "came"}}]},
        {"wait": {"seconds": 4}},
        {"id": "again", **send("Come again")},
    ],
    "exit_on": [{"kind": "cancellation"}],
}


def test_a_visit_starts_five_steps_and_each_goes_its_own_way(api: ReboundApi, calm: Calm) -> None:
    api.put(PATH, WANTED)
    vip = api.new_customer("Vera", "Ide", email=f"vera+{RUN}@example.com", general_tags=["vip"])
    other = api.new_customer("Otto", "Ide", email=f"otto+{RUN}@example.com")
    gone = api.new_customer("Gina", "Ide", email=f"gina+{RUN}@example.com")

    def told(kind: str, customer_id: str, **more: Any) -> None:
        at = datetime.now(UTC).isoformat()
        event = {"event_id": f"{kind}-{customer_id}", "kind": kind, "customer_id": customer_id, "at": at, **more}
        api.post("/v1/activity", {"events": [event]}, HTTPStatus.ACCEPTED)

    def steps(customer_id: str) -> list[str]:
        items = api.get(f"/v1/customers/{customer_id}/messages")["items"]
        return sorted(each["step_id"] for each in items if each["status"] in {"sent", "delivered"})

    def standing(customer_id: str) -> tuple[str, str | None]:
        [one] = api.get(f"{PATH}/enrolments", customer_id=customer_id)["items"]
        return one["standing"], one["left_because"]

    try:
        for customer_id in (vip, other, gone):
            told("visit", customer_id)
        until("thanked", lambda: [steps(each) for each in (vip, other, gone)], lambda found: found == [["thanks"]] * 3)
        # A booking system tells twice.
        told("visit", vip)
        [stand] = api.get(f"/v1/customers/{gone}/sequences")["items"]
        assert (stand["place"], stand["last_message"]["step_id"]) == ("inside", "thanks")
        assert stand["enrolment"]["next"]["kind"] == "if"
        for _ in range(2):
            told("cancellation", gone, appointment_id="a1")
        until("ended", lambda: (standing(vip), standing(other)), lambda found: found == (("left", "ended"),) * 2)
        until(
            "sent",
            lambda: (steps(vip), steps(other)),
            lambda found: (
                found
                == (
                    ["again", "gift", "thanks"],
                    ["again", "thanks"],
                )
            ),
        )

        assert (steps(gone), standing(gone)) == (["thanks"], ("left", "exit"))
        assert "came" in api.get(f"/v1/customers/{other}")["general_tags"]
        assert len(api.get(f"{PATH}/enrolments")["items"]) == 3
        until(
            "counted", lambda: counted(api.get(f"{PATH}/results")["total"]), lambda found: found == (3, 0, 2, 1, 3, 1)
        )
        logged = [each for each in api.get(f"/v1/customers/{gone}/log")["items"] if each["kind"] == "sequence"]
        assert [each["sequence"]["what"] for each in logged] == ["left", "begun"]
        assert logged[0]["sequence"]["left_because"] == "exit"
        # A sender that has said "sent" may not have put its chunk away yet.
        calm.wait()
    finally:
        api.delete(PATH)
    until("removed", lambda: api.get("/v1/sequences")["items"], lambda items: items == [])


def text() -> dict[str, Any]:
    return {"send": {"channel": "sms", "category": "transactional", "content": {"body": "Thank you, ##{{first_name}}"}}}


def visited(api: ReboundApi, people: list[str]) -> None:
    """All of them were there a moment ago; they begin together."""
    at = datetime.now(UTC).isoformat()
    events = [{"event_id": f"{each}-v", "kind": "visit", "customer_id": each, "at": at} for each in people]
    api.post("/v1/activity", {"events": events}, HTTPStatus.ACCEPTED)


def at_the_wait(api: ReboundApi, path: str, number: int) -> list[Any]:
    """Those who wait, once all do."""
    return until(
        "all wait",
        lambda: [each for each in api.listing(f"{path}/enrolments") if each["step_id"] == "1"],
        lambda found: len(found) == number,
    )


def test_off_holds_within_seconds_also_in_a_sender_s_hands_and_on_again_nobody_is_skipped_or_repeated(
    api: ReboundApi, twin: Twin, calm: Calm
) -> None:
    path = f"/v1/sequences/off-{RUN}"
    steps = [{"wait": {"seconds": 40}}, {"id": "text", **text()}]
    api.put(path, {**WANTED, "name": "Off", "status": "on", "steps": steps, "exit_on": []})
    numbers = [f"+1415555{7000 + number}" for number in range(TOGETHER)]
    people = few_at_once(lambda number: api.new_customer("Olaf", "Ide", mobile_phone=number), numbers)

    def handed_over() -> list[datetime]:
        lines = map(json.loads, exchange("GET", f"{twin.url}/log").expecting(200).body.splitlines())
        return [datetime.fromisoformat(each["at"]) for each in lines if each["tags"].get("c") in people]

    try:
        visited(api, people)
        waiting = at_the_wait(api, path, TOGETHER)
        # They come due while it is off, and so go out together once it is on.
        api.patch(path, {"status": "off"})
        last = max(datetime.fromisoformat(each["wake_at"]) for each in waiting)
        until("all are due", lambda: datetime.now(UTC), lambda now: now > last)
        assert handed_over() == []
        api.patch(path, {"status": "on"})
        until("some are handed over", lambda: len(handed_over()), lambda seen: seen >= SOME)
        assert api.patch(path, {"status": "off"})["status"] == "off"
        accepted = datetime.now(UTC)
        calm.wait()
        times = handed_over()
        # It was caught in a sender's hands, or all had gone out before and this proves nothing.
        assert SOME <= len(times) < TOGETHER
        assert max(times) - accepted < LATEST

        api.patch(path, {"status": "on"})
        until("all are handed over", lambda: len(handed_over()), lambda seen: seen >= TOGETHER)
        calm.wait()
        assert len(handed_over()) == TOGETHER
        standings = Counter(each["left_because"] for each in api.listing(f"{path}/enrolments"))
        assert standings == {"ended": TOGETHER}
    finally:
        api.delete(path)


def test_what_came_due_while_it_was_off_lapses_by_choice(api: ReboundApi, calm: Calm) -> None:
    path = f"/v1/sequences/late-{RUN}"
    steps = [{"wait": {"seconds": 10}}, text()]
    api.put(path, {**WANTED, "name": "Late", "status": "on", "steps": steps, "exit_on": []})
    late = api.new_customer("Late", "Ide", mobile_phone="+14155557999")
    try:
        visited(api, [late])
        [waits] = at_the_wait(api, path, 1)
        api.patch(path, {"status": "off", "late": "lapse"})
        due = datetime.fromisoformat(waits["wake_at"])
        until("due", lambda: datetime.now(UTC), lambda now: now > due)
        api.patch(path, {"status": "on"})
        [one] = until(
            "left", lambda: api.get(f"{path}/enrolments")["items"], lambda found: found[0]["standing"] == "left"
        )
        calm.wait()
        assert one["left_because"] == "lapsed"
        assert api.get(f"/v1/customers/{late}/messages")["items"] == []
    finally:
        api.delete(path)
