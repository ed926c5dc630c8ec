"""A plan of ten segments on the deployed stack: ten texts go out, the rest by email, and the owner is told twice."""

from collections import Counter
from typing import Final

import pytest

from tests.e2e.rebound_api import ReboundApi, few_at_once
from tests.e2e.surroundings import Calm, Operator, Twin
from tests.e2e.waiting import until

PEOPLE: Final = 12
OURS: Final = "+15005550042"
OWNER: Final = "owner@ten-segments.example.com"
SETTINGS: Final = (
    *("--email-from", "hello@salon.example.com", "--owner-email", OWNER),
    *("--text-from", OURS, "--text-rate", "1000"),
)
UPGRADE: Final = "https://platform.example/plans"
SWEEPS: Final = 240.0
"""Seconds: timers are swept each minute, on a machine that may be busy."""


@pytest.fixture(scope="module")
def salon(operator: Operator) -> ReboundApi:
    business = operator.new_business("Ten Segments", *SETTINGS)
    plan = ("--included", "10", "--inbound", "texts", "--upgrade-url", UPGRADE)
    made = operator.run("set-text-plan", "--business-id", str(business.business_id), *plan)
    assert made["text_plan"]["included"] == 10
    for n in range(PEOPLE):
        business.new_customer("Ten", str(n), email=f"ten{n}@example.com", mobile_phone=f"+141555514{n:02d}")
    return business


def test_ten_segments_go_out_of_two_campaigns_at_once_and_the_rest_by_email(
    salon: ReboundApi, operator: Operator, twin: Twin, calm: Calm
) -> None:
    asked = {"category": "reminder", "content": {"body": "See you tomorrow, ##{{first_name}}"}}
    campaigns = few_at_once(lambda name: salon.new_campaign("sms", name=name, **asked), ["One", "Two"])
    settled = [calm.settled(salon, campaign_id, 240.0) for campaign_id in campaigns]

    handed = Counter(send.provider for send in twin.sends_of(salon))
    assert handed == {"twilio": 10, "ses": 2 * PEOPLE - 10}
    assert all(each.adds_up and each.by_status == {"delivered": PEOPLE} for each in settled)
    assert sum(salon.campaign(id_)["fell_back_to_email"] for id_ in campaigns) == handed["ses"]
    assert len({(send.customer_id, send.message_id) for send in twin.sends_of(salon)}) == 2 * PEOPLE
    month = salon.get("/v1/text-plan")
    assert month == {
        "month": month["month"],
        "included": 10,
        "used": 10,
        "inbound": 0,
        "left": 0,
        "status": "exhausted",
        "upgrade_url": UPGRADE,
    }

    def notes() -> list[str]:
        return [send.content["subject"] for send in twin.sends() if send.to == OWNER]

    until("the owner is told", notes, lambda subjects: len(subjects) >= 2, SWEEPS)
    # What comes in counts too, and the owner knows already.
    assert twin.text("+14155551401", OURS, "Thanks!") is None
    used = until("what came in is counted", lambda: salon.get("/v1/text-plan"), lambda plan: plan["inbound"] == 1)
    assert (used["used"], used["left"]) == (11, 0)

    # With a larger plan, texts go on.
    operator.run("set-text-plan", "--business-id", str(salon.business_id), "--included", "1000")
    third = calm.settled(salon, salon.new_campaign("sms", name="Three", **asked), 240.0)
    assert third.by_status == {"delivered": PEOPLE}
    assert Counter(send.provider for send in twin.sends_of(salon))["twilio"] == 10 + PEOPLE
    assert salon.get("/v1/text-plan")["used"] == 11 + PEOPLE
    assert sorted(notes()) == sorted({subject for subject in notes() if "Ten Segments" in subject})
    assert len(notes()) == 2
