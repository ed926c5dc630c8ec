"""What people read on the deployed stack: the logs of a customer and an appointment, the replies, and the switches."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from tests.e2e.rebound_api import Json, ReboundApi
from tests.e2e.surroundings import Calm, EmbeddedAws, Operator, Twin
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


def test_what_a_paused_campaign_keeps_is_in_the_log_and_goes_with_the_customer(
    api: ReboundApi, aws: EmbeddedAws, calm: Calm
) -> None:
    address, number = "success+erased@simulator.amazonses.com", "+14155550182"
    customer_id = api.new_customer(email=address, mobile_phone=number, time_zone="UTC")
    api.new_message(customer_id, "sms", body="For your eyes only.")
    calm.wait(120)
    now = datetime.now(UTC)
    hours = {"from": f"{now - timedelta(hours=1):%H:%M}", "until": f"{now + timedelta(hours=2):%H:%M}"}
    night = {**hours, "categories": ["marketing"]}
    api.patch("/v1/business", {"quiet_hours": {"sms": night}})
    campaign_id = api.new_campaign("sms", customer_ids=[customer_id])
    path = f"/v1/customers/{customer_id}/log"
    log = until("the campaign waits", lambda: api.get(path), lambda log: len(log["items"]) == 2, 60)
    waits = log["items"][0]
    assert (waits["message"]["campaign_id"], waits["held_because"]) == (campaign_id, "quiet_hours")
    assert waits["message"]["held_until"] is not None
    api.post(f"/v1/campaigns/{campaign_id}/pause", status=200)
    paused = until(
        "the pause is seen", lambda: api.get(path), lambda log: log["items"][0]["held_because"] != "quiet_hours"
    )
    assert paused["items"][0]["held_because"] == "paused"
    api.post(f"/v1/campaigns/{campaign_id}/cancel", status=200)

    assert len(rows_with(aws, address, number, "eyes only")) > 3
    api.delete(f"/v1/customers/{customer_id}")
    until("it is forgotten", lambda: rows_with(aws, address, number, "eyes only"), lambda found: not found, 60)


def rows_with(aws: EmbeddedAws, *words: str) -> list[str]:
    """The rows, of all tables, in which one of the words stands; what is kept for an Idempotency-Key goes in a day."""
    with aws.client("dynamodb") as dynamodb:
        tables = [name for name in dynamodb.list_tables()["TableNames"] if "Idempotency" not in name]
        pages = [page for name in tables for page in dynamodb.get_paginator("scan").paginate(TableName=name)]
    written = [json.dumps(row, default=str) for page in pages for row in page["Items"]]
    return [row for row in written if any(word in row for word in words)]
