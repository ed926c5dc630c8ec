"""What people read on the deployed stack: the logs of a customer and an appointment, the replies, and the switches."""

import csv
import io
from typing import Final

import pytest

from tests.e2e.rebound_api import Json, ReboundApi
from tests.e2e.surroundings import Calm, Operator, Twin
from tests.e2e.waiting import until

OURS: Final = "+15005550081"
"""A number of this module's own: every business that sends from a number hears what is texted to it."""
ANAS: Final = "+14155550181"
ASKING: Final = {
    "category": "reminder",
    "channel": "sms",
    "content": {"body": "Tomorrow at ten. Please answer C to confirm."},
    "appointment_id": "a-81",
    "asks_confirmation": True,
}


@pytest.fixture(scope="module")
def api(operator: Operator) -> ReboundApi:
    return operator.new_business("Logs & Co", "--text-from", OURS, "--text-rate", "1000")


def kinds(log: Json) -> list[str]:
    return [entry["kind"] for entry in log["items"]]


def test_people_can_read_what_was_sent_what_was_answered_and_why_nothing_goes_out(
    api: ReboundApi, calm: Calm, twin: Twin
) -> None:
    customer_id = api.new_customer(mobile_phone=ANAS)
    api.post("/v1/messages", {**ASKING, "customer_id": customer_id})
    appointment = until(
        "the text confirmation is delivered",
        lambda: api.get("/v1/appointments/a-81/log"),
        lambda log: log["items"][0]["message"]["status"] == "delivered",
    )
    assert [entry["sentence"] for entry in appointment["items"]] == [
        f"Sent text confirmation to {ANAS}, and it was delivered."
    ]

    twin.text(ANAS, OURS, " c. ")
    confirmed = api.get("/v1/appointments/a-81/log")
    assert confirmed["confirmed_at"] is not None
    assert confirmed["items"][0]["sentence"].startswith("Confirmed via text")

    twin.text(ANAS, OURS, "=Is it on the corner?")
    twin.text(ANAS, OURS, "STOP")
    path = f"/v1/customers/{customer_id}/log"
    log = until("everything is in the log", lambda: api.get(path), lambda log: len(log["items"]) == 5)
    assert kinds(log)[-1] == "message"
    assert sorted(kinds(log)[:4]) == ["consent", "reply", "reply", "reply"]
    assert log["texts_stopped"]["text_start_to"] == OURS
    pages = [api.get(path, limit=1)]
    while pages[-1]["next_cursor"] is not None:
        pages.append(api.get(path, limit=1, cursor=pages[-1]["next_cursor"]))
    assert [entry for page in pages for entry in page["items"]] == log["items"]

    report = until("the report has all", lambda: api.get("/v1/replies"), lambda report: len(report["items"]) == 3)
    assert {reply["customers"][0]["customer_id"] for reply in report["items"]} == {customer_id}
    answer = api.call("GET", "/v1/replies.csv?q=corner").expecting(200)
    (row,) = csv.DictReader(io.StringIO(answer.body.decode()))
    assert (row["number"], row["body"], row["kind"]) == (ANAS, "'=Is it on the corner?", "other")

    twin.text(ANAS, OURS, "START")
    assert api.get(path)["texts_stopped"] is None
    api.patch("/v1/business", {"switches": {"text_confirmations": False}})
    refused = api.call("POST", "/v1/messages", {**ASKING, "customer_id": customer_id})
    assert (refused.status, "switches.text_confirmations" in refused.json()["detail"]) == (409, True)
    calm.wait()
