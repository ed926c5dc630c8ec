"""What starts sequences, from where it really happens: requests, texts, files, streams."""

from typing import Any

import pytest

from tests.integration.conftest import Stack
from tests.integration.inbound.test_received_texts import NUMBER, receive, text
from tests.integration.sequences.test_sequences import SEND, goes_on, sends


@pytest.fixture
def ana(stack: Stack) -> str:
    given = {"first_name": "Ana", "last_name": "Silva", "email": "ana@example.com", "mobile_phone": NUMBER}
    return str(stack.api("POST", "/v1/customers", given).body["customer_id"])


def put(stack: Stack, sequence_id: str = "welcome", **given: Any) -> None:
    answer = stack.api(
        "PUT", f"/v1/sequences/{sequence_id}", {"name": "Welcome", "status": "on", "steps": [SEND], **given}
    )
    assert answer.status == 200, answer.body


def test_a_text_of_a_customer_starts_it_and_a_stop_does_not(stack: Stack, ana: str) -> None:
    put(stack, trigger={"kind": "reply"})
    receive(stack, text(MessageSid="SM1", Body="HELP"))
    assert stack.received("STEPS_QUEUE_URL") == []
    for _ in range(2):
        receive(stack, text(MessageSid="SM2", Body="Do you have time on Friday?"))
    goes_on(stack)

    assert sends(stack) == ["Hello Ana"]
    [found] = stack.api("GET", "/v1/sequences/welcome/enrolments", query={"customer_id": ana}).body["items"]
    assert found["entry_key"] == "SM2"
