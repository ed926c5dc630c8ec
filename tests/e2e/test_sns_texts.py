"""Texts over SNS, whose word comes through CloudWatch Logs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pytest

from tests.e2e.rebound_api import ReboundApi
from tests.e2e.surroundings import Calm, Operator, Settled
from tests.e2e.waiting import until


@dataclass(frozen=True, slots=True)
class Line:
    """What a text over SNS must come to (provider facts: SNS text)."""

    number: str
    status: str = "delivered"
    code: str | None = None
    reason: str | None = None
    flagged: bool = False
    opted_out: tuple[str, ...] = ()


LINES: Final = (
    Line("+14155550191"),
    Line("+14155550198"),
    Line("+15553000551", "bounced", "Invalid phone number", "text:invalid_number", flagged=True),
    Line("+15005550001", "bounced", "Invalid phone number", "text:invalid_number", flagged=True),
    Line("+15553000352", "bounced", "Phone is currently unreachable/unavailable", "text:unreachable_handset"),
    Line("+15005550004", "failed", "Phone number is opted out", "text:opted_out", opted_out=("all",)),
    Line("+15553000753", "failed", "Blocked as spam by phone carrier", "content:blocked_as_spam"),
    Line("+15553999954", "failed", "Unknown error attempting to reach phone", "provider:unknown_error"),
)


@pytest.fixture(scope="module")
def sns(operator: Operator) -> ReboundApi:
    """A business that has changed over from Twilio."""
    business = operator.new_business("Clinic")
    assert business.get("/v1/business")["text_provider"] == "twilio"
    assert business.patch("/v1/business", {"text_provider": "sns"})["text_provider"] == "sns"
    return business


@pytest.fixture(scope="module")
def ids(sns: ReboundApi) -> Mapping[str, str]:
    return {line.number: sns.new_customer(mobile_phone=line.number) for line in LINES}


@pytest.fixture(scope="module")
def settled(sns: ReboundApi, calm: Calm, ids: Mapping[str, str]) -> Settled:
    assert ids
    return _final(sns, calm.settled(sns, sns.new_campaign("sms")))


def _final(sns: ReboundApi, settled: Settled) -> Settled:
    """The campaign once the delivery logs, of whose way through CloudWatch nobody can see the end, have all come."""
    return until(
        "every text has a final word",
        lambda: Settled.read(sns, settled.campaign["campaign_id"]),
        lambda seen: seen.adds_up and "sent" not in seen.results,
    )


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.number)
def test_the_delivery_log_decides_what_became_of_a_text(
    sns: ReboundApi, ids: Mapping[str, str], settled: Settled, line: Line
) -> None:
    message = settled.messages[ids[line.number]]
    found = (message["status"], message["reason"], message["provider"], message["provider_code"])
    assert found == (line.status, line.reason, "sns", line.code)
    contact = sns.contact(ids[line.number], "sms")
    assert (contact["invalid"], contact["reason"]) == (line.flagged, line.reason if line.flagged else None)
    assert contact["opted_out"] == list(line.opted_out)


def test_the_next_campaign_leaves_out_the_flagged_and_the_opted_out(
    sns: ReboundApi, calm: Calm, ids: Mapping[str, str], settled: Settled
) -> None:
    assert settled.results == {"delivered": 2, "bounced": 3, "failed": 3}
    second = _final(sns, calm.settled(sns, sns.new_campaign("sms")))
    assert second.audience == {
        "matched": len(LINES),
        "excluded": {"invalid_contact": 2, "opted_out": 1},
        "targeted": len(LINES) - 3,
    }
    assert set(second.messages) == {ids[line.number] for line in LINES if not line.flagged and not line.opted_out}
