"""Frequency caps on the deployed stack: two campaigns at once hand each customer one message, and all adds up."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Final

import pytest

from tests.e2e.rebound_api import Json, ReboundApi, few_at_once, matched_and_targeted
from tests.e2e.surroundings import Calm, Twin

PEOPLE: Final = 12
CAP: Final[Json] = {
    "name": "One offer a week",
    "categories": ["marketing"],
    "channel": None,
    "at_most": 1,
    "within_days": 7,
    "per_segment": False,
}


@pytest.fixture(scope="module")
def ids(api: ReboundApi) -> list[str]:
    assert api.patch("/v1/business", {"frequency_caps": [CAP]})["frequency_caps"] == [CAP]
    return [
        api.new_customer("Capped", str(n), email=f"capped{n}@example.com", mobile_phone=f"+141555519{n:02d}")
        for n in range(PEOPLE)
    ]


def test_two_campaigns_at_once_hand_each_customer_one_message(
    api: ReboundApi, twin: Twin, calm: Calm, ids: list[str]
) -> None:
    assert matched_and_targeted(api.preview("email")) == (PEOPLE, PEOPLE)
    campaigns = few_at_once(api.new_campaign, ["email", "sms"])
    settled = [calm.settled(api, campaign_id, 240.0) for campaign_id in campaigns]
    handed = Counter(send.customer_id for send in twin.sends_of(api))
    excluded = [each.audience["excluded"] for each in settled]

    assert all(each.adds_up for each in settled)
    assert handed == dict.fromkeys(ids, 1)
    assert sum(each.audience["targeted"] for each in settled) == PEOPLE
    assert sum(reasons.get("frequency_cap", 0) for reasons in excluded) == PEOPLE
    assert all(set(reasons) <= {"frequency_cap"} for reasons in excluded)
    assert api.preview("sms")["excluded"] == {"frequency_cap": PEOPLE}
    # Who was left out right before the send is in the client log with the date.
    for customer_id in ids:
        sent, *rest = sorted(api.client_log(customer_id), key=lambda message: str(message["reason"]))
        assert (sent["reason"], sent["free_again_at"]) == (None, None)
        for message in rest:
            assert (message["status"], message["reason"]) == ("excluded", "frequency_cap")
            assert message["free_again_at"] is not None


def test_why_not_names_the_cap_and_the_day_and_one_message_obeys_too(
    api: ReboundApi, twin: Twin, calm: Calm, ids: list[str]
) -> None:
    customer_id = ids[0]
    before = len(twin.sends_of(api))
    told = api.get(f"/v1/customers/{customer_id}/reachability", channel="sms", category="marketing")
    (rule,) = (rule for rule in told["rules"] if rule["rule"] == "frequency_cap")
    free = datetime.fromisoformat(rule["looked_at"]["free_again_at"])
    (handed,) = [send for send in twin.sends_of(api) if send.customer_id == customer_id]
    message_id = api.new_message(customer_id, "email", "marketing")
    reminder_id = api.new_message(customer_id, "email", "reminder")
    calm.wait()
    message, reminder = (api.message(customer_id, id_) for id_ in (message_id, reminder_id))

    assert told["verdict"]["reason"] == "frequency_cap"
    assert "One offer a week" in told["verdict"]["sentence"]
    sent = api.message(customer_id, str(handed.message_id))
    assert abs(free - datetime.fromisoformat(sent["sent_at"]) - timedelta(days=7)) < timedelta(minutes=1)
    assert (message["status"], message["reason"]) == ("excluded", "frequency_cap")
    assert datetime.fromisoformat(message["free_again_at"]) == free
    assert reminder["status"] == "delivered"
    assert len(twin.sends_of(api)) == before + 1
