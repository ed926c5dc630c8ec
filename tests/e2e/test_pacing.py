"""The rate of a sender on the deployed stack: kept by all workers together, and no hindrance to who is in a hurry."""

import json
from datetime import datetime
from typing import Final

from tests.e2e.rebound_api import ReboundApi, exchange
from tests.e2e.surroundings import Calm, Operator, Twin
from tests.e2e.test_imports import imported
from tests.e2e.waiting import until

PEOPLE: Final = 120
RATE: Final = 10
"""Texts a second."""
LARGEST_CHUNK: Final = 50


def texts(twin: Twin, api: ReboundApi) -> dict[str, datetime]:
    """When the twin accepted each of the business's texts, by message."""
    log = exchange("GET", f"{twin.url}/log").expecting(200).body.splitlines()
    own = (line for line in map(json.loads, log) if line["tags"].get("b") == api.business_id)
    return {line["tags"]["m"]: datetime.fromisoformat(line["at"]) for line in own}


def test_a_campaign_keeps_the_senders_rate_and_a_reminder_overtakes_it(
    operator: Operator, twin: Twin, calm: Calm
) -> None:
    api = operator.new_business("Paced", "--text-from", "+15005550006", "--email-from", "hello@salon.example.com")
    assert api.get("/v1/business")["text_rate"] is None
    # A sender of its own, so that nobody else's texts share the rate.
    own = "+15005550016"
    operator.run("add-sender", "--business-id", api.business_id, "--sender", own)
    settings = {"text_from": own, "text_rate": RATE}
    assert api.patch("/v1/business", settings)["text_rate"] == RATE
    rows = ["first_name,last_name,mobile_phone"]
    rows.extend(f"Person{number},Paced,+1415555{6000 + number}" for number in range(PEOPLE))
    assert imported(api, "csv", "\n".join(rows) + "\n")["counts"]["created"] == PEOPLE
    somebody = api.get("/v1/customers?limit=1")["items"][0]["customer_id"]

    campaign_id = api.new_campaign("sms")
    until("some texts are handed over", lambda: len(texts(twin, api)), lambda seen: seen > 0)
    reminder = api.post(
        "/v1/messages",
        {
            "customer_id": somebody,
            "category": "reminder",
            "channel": "sms",
            "content": {"body": "Tomorrow at ten"},
        },
        status=202,
    )["message_id"]
    until("the reminder is handed over", lambda: texts(twin, api), lambda seen: reminder in seen)
    before = len(texts(twin, api))
    calm.wait()
    handed = texts(twin, api)
    times = sorted(at for message, at in handed.items() if message != reminder)
    took = (times[-1] - times[0]).total_seconds()

    assert api.campaign(campaign_id)["results"]["delivered"] == PEOPLE
    assert len(times) == PEOPLE
    assert before < PEOPLE
    # The last chunk begins when all before it have had their time; a queue counts in whole seconds.
    assert took >= (PEOPLE - LARGEST_CHUNK) / RATE - 2
    for number, at in enumerate(times):
        assert number <= (at - times[0]).total_seconds() * RATE + LARGEST_CHUNK + 2 * RATE
