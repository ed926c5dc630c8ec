"""The queue of flags to be copied again: one suite against the fake and SQS."""

import json

import pytest

from rebound.businesses.adapters.sqs_recopy_queue import SqsRecopyQueue, decode_recopying
from rebound.businesses.domain.business import Recopying
from rebound.businesses.ports import RecopyQueue
from rebound.contacts.domain.reachability import STANDARD_POLICY, STRICT_POLICY, policy_of
from tests.contract.businesses.fakes import MemoryRecopyQueue
from tests.contract.platform.fakes import FakeClock
from tests.fakes.aws import make
from tests.fakes.making import BUSINESS_ID


@pytest.mark.parametrize(
    "work",
    [
        Recopying(BUSINESS_ID),
        Recopying(BUSINESS_ID, "YWJj", STANDARD_POLICY),
        Recopying(BUSINESS_ID, "YWJj", policy_of("custom", {"unreachable": 2})),
        Recopying(BUSINESS_ID, None, STRICT_POLICY),
    ],
    ids=["new", "rest", "rest-custom", "strict"],
)
def test_a_copying_of_flags_comes_from_the_queue_as_it_was_put(on_aws: bool, work: Recopying) -> None:
    if on_aws:
        sqs = make("sqs")
        url = sqs.create_queue(QueueName="recopy")["QueueUrl"]
        queue: RecopyQueue = SqsRecopyQueue(sqs, url)
        queue.put(work)
        found = decode_recopying(sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"])
    else:
        fake = MemoryRecopyQueue(FakeClock())
        queue = fake
        queue.put(work)
        found = next(iter(fake.queue.messages.values())).body

    assert found == work


def test_a_copying_can_be_asked_for_by_the_business_alone() -> None:
    assert decode_recopying(json.dumps({"business_id": BUSINESS_ID})) == Recopying(BUSINESS_ID)
