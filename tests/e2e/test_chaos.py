"""Providers that throttle, fail, come late and say things twice: nothing is lost, doubled or counted wrong."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pytest

from tests.e2e.rebound_api import ReboundApi
from tests.e2e.surroundings import RUN, Calm, Send, Settled, Twin
from tests.e2e.test_imports import imported
from tests.e2e.waiting import until

PEOPLE: Final = 300
TEXTED: Final = 80
OUTCOMES: Final[Mapping[str, str]] = {
    "member{}@example.com": "delivered",
    "bounce+chaos{}@simulator.amazonses.com": "bounced",
    "latebounce+chaos{}@twin.example.com": "bounced",
    "contentrejected+chaos{}@twin.example.com": "failed",
    f"throttled+chaos-{RUN}-{{}}@twin.example.com": "delivered",
}
FLAGGING: Final = ("bounce+", "latebounce+")
# With these seeds an error strikes before and after accepting, among the first calls of each provider.
FAULTS: Final = (
    {"provider": "ses", "kind": "throttle", "rate": 0.1, "seed": 1},
    {"provider": "ses", "kind": "error", "rate": 0.3, "seed": 6},
    {"provider": "ses", "kind": "duplicate", "rate": 0.3, "seed": 3},
    {"provider": "ses", "kind": "delay", "rate": 0.2, "seed": 4, "seconds": 4},
    {"provider": "twilio", "kind": "throttle", "rate": 0.025, "seed": 0},
    {"provider": "twilio", "kind": "error", "rate": 0.1, "seed": 5},
    {"provider": "twilio", "kind": "duplicate", "rate": 0.3, "seed": 3},
    {"provider": "twilio", "kind": "delay", "rate": 0.2, "seed": 4, "seconds": 4},
)


def _email(number: int) -> str:
    # Every fifth is something else than a mailbox that works.
    patterns = list(OUTCOMES)
    return patterns[1 + number // 5 % (len(patterns) - 1) if number % 5 == 0 else 0].format(number)


def _phone(number: int) -> str:
    # Every tenth is a number that is out of service.
    return f"+155530005{number:02d}" if number % 10 == 0 else f"+1415555{2000 + number}"


def _email_outcome(address: str) -> str:
    return next(outcome for pattern, outcome in OUTCOMES.items() if address.startswith(pattern.partition("{")[0]))


def _phone_outcome(number: str) -> str:
    return "bounced" if number.startswith("+1555") else "delivered"


@dataclass(frozen=True, slots=True)
class Run:
    """Both campaigns at rest, and what the twin accepted of each."""

    addresses: Mapping[str, Mapping[str, str]]
    settled: Mapping[str, Settled]
    accepted: Mapping[str, Counter[str]]


@pytest.fixture(scope="module")
def run(api: ReboundApi, calm: Calm, twin: Twin) -> Run:
    rows = ["external_id,first_name,last_name,email,mobile_phone,general_tags"]
    for number in range(PEOPLE):
        phone, tag = (_phone(number), "texted") if number < TEXTED else ("", "")
        rows.append(f"p-{number},Person{number},Chaos,{_email(number)},{phone},{tag}")
    job = imported(api, "csv", "\n".join(rows) + "\n")
    assert job["counts"]["created"] == PEOPLE, job
    calm.wait()
    with twin.with_faults(*FAULTS):
        posted = {
            "email": api.new_campaign("email"),
            "sms": api.new_campaign("sms", filter={"tag": "texted"}),
        }
        settled = {channel: calm.settled(api, campaign_id, 150) for channel, campaign_id in posted.items()}
    customers = api.listing("/v1/customers")
    addresses = {
        "email": {customer["customer_id"]: customer["email"] for customer in customers},
        "sms": {customer["customer_id"]: customer["mobile_phone"] for customer in customers},
    }
    accepted = {channel: _accepted(twin.sends_of(api), settled[channel]) for channel in settled}
    return Run(addresses, settled, accepted)


def _accepted(sends: list[Send], settled: Settled) -> Counter[str]:
    """How many messages of the campaign the twin accepted for each customer."""
    message_ids = {message["message_id"]: customer_id for customer_id, message in settled.messages.items()}
    return Counter(
        send.customer_id
        for send in sends
        if send.customer_id is not None and send.message_id in message_ids and send.customer_id in settled.messages
    )


@pytest.mark.parametrize(("channel", "targeted"), [("email", PEOPLE), ("sms", TEXTED)])
def test_everybody_is_accounted_for(run: Run, channel: str, targeted: int) -> None:
    settled = run.settled[channel]
    assert settled.adds_up
    assert settled.audience == {"matched": targeted, "excluded": {}, "targeted": targeted}
    assert len(settled.messages) == targeted


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_nobody_is_sent_to_twice(run: Run, channel: str) -> None:
    assert run.accepted[channel]
    assert [customer_id for customer_id, sends in run.accepted[channel].items() if sends > 1] == []


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_only_what_never_went_out_stays_uncertain_and_callbacks_settle_the_rest(run: Run, channel: str) -> None:
    outcome_of = {"email": _email_outcome, "sms": _phone_outcome}[channel]
    found = {customer_id: message["status"] for customer_id, message in run.settled[channel].messages.items()}
    expected = {
        customer_id: outcome_of(run.addresses[channel][customer_id])
        if run.accepted[channel][customer_id]
        else "uncertain"
        for customer_id in found
    }
    assert found == expected


def test_the_faults_did_strike(run: Run) -> None:
    """Without an uncertain send on each channel, the tests above would not have been put to the test."""
    for channel in ("email", "sms"):
        assert run.settled[channel].results.get("uncertain", 0) > 0
        assert run.accepted[channel]


@pytest.mark.parametrize(("channel", "failed"), [("email", "email"), ("sms", "phone")])
def test_exactly_those_whose_bad_address_was_reported_are_flagged(
    api: ReboundApi, run: Run, channel: str, failed: str
) -> None:
    bad = {
        customer_id
        for customer_id in run.accepted[channel]
        if run.addresses[channel][customer_id].startswith((*FLAGGING, "+1555"))
    }
    assert bad
    until(
        f"the flags of {channel}",
        lambda: {customer["customer_id"] for customer in api.listing("/v1/customers", failed=failed)},
        lambda found: found == bad,
    )
