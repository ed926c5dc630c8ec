"""An account that SES has not let out of its sandbox: little goes out, and what there is not yet is no error."""

import json
from collections.abc import Iterator
from typing import Final

import pytest

from tests.e2e.rebound_api import ReboundApi
from tests.e2e.surroundings import Calm, EmbeddedAws, Twin, forget_the_pace, is_dead_letter_queue
from tests.e2e.waiting import until

VERIFIED: Final = "ana@salon.example.com"
SIMULATED: Final = "bounce+sandbox@simulator.amazonses.com"
STRANGER: Final = "zoe@elsewhere.example.org"


@pytest.fixture
def sandbox(twin: Twin, aws: EmbeddedAws, calm: Calm) -> Iterator[Twin]:
    """The account in the sandbox for the time of a test, and nobody who has heard otherwise."""
    calm.wait()
    twin.allow(ProductionAccessEnabled=False)
    forget_the_pace(aws)
    yield twin
    twin.allow_everything()
    forget_the_pace(aws)


def test_verified_addresses_are_written_to_and_others_are_told_why_not(
    sandbox: Twin, api: ReboundApi, aws: EmbeddedAws, calm: Calm
) -> None:
    ids = {address: api.new_customer(email=address) for address in (VERIFIED, SIMULATED, STRANGER)}
    settled = calm.settled(api, api.new_campaign("email"))
    found = {
        address: (settled.messages[customer_id]["status"], settled.messages[customer_id]["reason"])
        for address, customer_id in ids.items()
    }

    assert found == {
        VERIFIED: ("delivered", None),
        SIMULATED: ("bounced", "bounce:mailbox_does_not_exist"),
        STRANGER: ("failed", "sender:sandbox"),
    }
    assert {send.to for send in sandbox.sends_of(api)} == {VERIFIED, SIMULATED}
    # A flag that SES's list cannot be asked about is cleared by hand as ever.
    api.patch(f"/v1/customers/{ids[SIMULATED]}", {"email": "ana.silva@salon.example.com"})
    assert not any(queue.messages for queue in aws.queues() if is_dead_letter_queue(queue))


@pytest.mark.usefixtures("sandbox")
def test_the_night_says_that_there_is_no_list_to_compare(aws: EmbeddedAws) -> None:
    machine = aws.output("ReconcileSuppressionsStateMachine")
    with aws.client("stepfunctions") as steps:
        execution = steps.start_execution(stateMachineArn=machine, input="{}")["executionArn"]
        ended = until(
            "the night is over",
            lambda: steps.describe_execution(executionArn=execution),
            lambda seen: seen["status"] != "RUNNING",
        )

    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"]) == {"done": True, "entries": 0, "drift": {}, "unavailable": "sandbox"}
