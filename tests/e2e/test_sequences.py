"""A sequence of five steps on the deployed stack: with a wait, a condition, an exit, and a pause in between."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from tests.e2e.rebound_api import ReboundApi
from tests.e2e.surroundings import RUN
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


WANTED: Final[dict[str, Any]] = {
    "name": "After a visit",
    "trigger": {"kind": "visit"},
    "status": "on",
    "steps": [
        {"id": "thanks", **send("Thank you")},
        {"id": "rest", "wait": {"seconds": 8}},
        {"if": {"tag": "vip"}, "then": [{"id": "gift", **send("A gift")}], "else": [{"tag": {"add": "came"}}]},
        {"wait": {"seconds": 4}},
        {"id": "again", **send("Come again")},
    ],
    "exit_on": [{"kind": "cancellation"}],
}


def test_a_visit_starts_five_steps_and_each_goes_its_own_way(api: ReboundApi) -> None:
    api.put(PATH, WANTED)
    vip = api.new_customer("Vera", "Ide", email=f"vera+{RUN}@example.com", general_tags=["vip"])
    other = api.new_customer("Otto", "Ide", email=f"otto+{RUN}@example.com")
    gone = api.new_customer("Gina", "Ide", email=f"gina+{RUN}@example.com")

    def told(kind: str, customer_id: str, **more: Any) -> None:
        at = datetime.now(UTC).isoformat()
        event = {"event_id": f"{kind}-{customer_id}", "kind": kind, "customer_id": customer_id, "at": at, **more}
        # A booking system tells twice.
        for _ in range(2):
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
        until("thanked", lambda: steps(gone), lambda found: found == ["thanks"])
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
    finally:
        api.delete(PATH)
    until("removed", lambda: api.get("/v1/sequences")["items"], lambda items: items == [])
