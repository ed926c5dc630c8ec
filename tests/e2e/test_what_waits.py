"""What waits for a customer shows in their log and goes with them; what was set aside lies on its queue for minutes."""

import json
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from tests.e2e.rebound_api import ReboundApi
from tests.e2e.surroundings import Calm, EmbeddedAws, Operator
from tests.e2e.waiting import until

SENDER: Final = "+15005550082"


@pytest.fixture
def api(operator: Operator) -> ReboundApi:
    return operator.new_business("Waiting & Co", "--text-from", SENDER, "--text-rate", "1000")


def test_what_a_paused_campaign_keeps_is_in_the_log_and_goes_with_the_customer(
    api: ReboundApi, aws: EmbeddedAws, calm: Calm
) -> None:
    address, number = "success+erased@simulator.amazonses.com", "+14155550182"
    customer_id = api.new_customer(email=address, mobile_phone=number, time_zone="UTC")
    api.new_message(customer_id, "sms", body="For your eyes only.")
    until(
        "the text has arrived",
        lambda: api.listing(f"/v1/customers/{customer_id}/messages"),
        lambda messages: [message["status"] for message in messages] == ["delivered"],
        60,
    )
    now = datetime.now(UTC)
    hours = {"from": f"{now - timedelta(hours=1):%H:%M}", "until": f"{now + timedelta(minutes=2):%H:%M}"}
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
    # The night is over in two minutes, and what lay on the queue finds its campaign cancelled.
    calm.wait(120)


def rows_with(aws: EmbeddedAws, *words: str) -> list[str]:
    """The rows, of all tables, in which one of the words stands; what is kept for an Idempotency-Key goes in a day."""
    with aws.client("dynamodb") as dynamodb:
        tables = [name for name in dynamodb.list_tables()["TableNames"] if "Idempotency" not in name]
        pages = [page for name in tables for page in dynamodb.get_paginator("scan").paginate(TableName=name)]
    written = [json.dumps(row, default=str) for page in pages for row in page["Items"]]
    return [row for row in written if any(word in row for word in words)]
