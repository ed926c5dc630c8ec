"""The proof: while a campaign of 2,000 texts runs, a STOP holds within two seconds of the webhook's answer."""

from datetime import UTC, datetime
from typing import Final

import pytest

from tests.e2e.rebound_api import ReboundApi
from tests.e2e.surroundings import Calm, Operator, TwilioText, Twin
from tests.e2e.waiting import until

PEOPLE: Final = 2000
OURS: Final = "+15005550084"
"""A number of this module's own: every business that sends from a number hears what is texted to it."""
STOPPING: Final = range(0, PEOPLE, 40)
"""Fifty people all over the campaign."""
LATEST_SECONDS: Final = 2.0


def number_of(person: int) -> str:
    return f"+1415557{person:04d}"


@pytest.fixture(scope="module")
def api(operator: Operator) -> ReboundApi:
    return operator.new_business("Two thousand texts", "--text-from", OURS, "--text-rate", "1000")


def test_nobody_is_texted_later_than_two_seconds_after_their_stop_was_answered(
    api: ReboundApi, calm: Calm, twin: Twin
) -> None:
    rows = "\n".join(f"Ana,Silva,{person},{number_of(person)}" for person in range(PEOPLE))
    content = f"first_name,last_name,external_id,mobile_phone\n{rows}\n"
    made = api.post("/v1/imports", {"format": "csv", "content": content}, status=202)
    until(
        "everybody is imported",
        lambda: api.get(f"/v1/imports/{made['import_id']}"),
        lambda job: job["status"] == "completed",
        180,
    )
    campaign_id = api.new_campaign("sms")
    until("some are texted", lambda: len(twin.sends_of(api)), lambda count: count >= 50, 120)
    answered: dict[str, datetime] = {}
    for person in STOPPING:
        TwilioText.to(api, number_of(person), OURS, "STOP").deliver().expecting(200)
        answered[number_of(person)] = datetime.now(UTC)
    settled = calm.settled(api, campaign_id, 600)
    handed_over = {send.to: send.at for send in twin.sends_of(api)}
    late = {to: (at - answered[to]).total_seconds() for to, at in handed_over.items() if to in answered}

    assert settled.audience["matched"] == PEOPLE
    assert settled.audience["excluded"] == {"opted_out": len(STOPPING) - len(late)}
    assert len(handed_over) == settled.audience["targeted"]
    # Some were handed over before; most were not, or the campaign was over before the first STOP and proves nothing.
    assert len(late) < len(STOPPING) / 2
    assert max(late.values(), default=0.0) <= LATEST_SECONDS, late
