"""Two stacks in one account and region: nothing is named twice, and each hears of its own texts only.

They have an embedded AWS of their own: the other tests look for resources by parts of their names.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import pytest

from local.stack import Stack, StackConfiguration, down, up
from local.stack.deployment import STACK_NAME, deploy, operate, outputs
from tests.e2e.rebound_api import ReboundApi
from tests.e2e.surroundings import EmbeddedAws
from tests.e2e.waiting import until

SECOND: Final = "rebound-two"
NAMED_WITHIN: Final = {"AWS::ApiGateway::Stage"}
"""What is named within something of its own stack's, and not in the account."""
NUMBER: Final = "+14155550171"
BUSINESS: Final = {
    "command": "create-business",
    "name": "Cedar",
    "country": "US",
    "time_zone": "America/New_York",
    "text_provider": "sns",
    "quiet_hours": "off",
}


@dataclass(frozen=True)
class Both:
    """The stacks: the first as ``make up`` makes it, and the outputs of each."""

    configuration: StackConfiguration
    first: Stack
    outputs: Mapping[str, Mapping[str, str]]

    @property
    def aws(self) -> EmbeddedAws:
        return EmbeddedAws(self.first.aws_endpoint_url, self.first.region)

    def counted(self, stack: str, metric: str) -> int:
        """How much a stack's ``apply_receipts`` has counted under a name so far."""
        with self.aws.client("logs") as logs:
            found = logs.filter_log_events(logGroupName=f"/rebound/{stack}/apply_receipts")["events"]
        lines = [json.loads(event["message"]) for event in found if '"CloudWatchMetrics"' in event["message"]]
        return sum(int(line.get(metric, [0])[0]) for line in lines)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    configuration = StackConfiguration.beside_others(tmp_path_factory.mktemp("two-stacks"))
    try:
        first = up(configuration)
        second = deploy(configuration, SECOND, text_log_groups="existing")
        yield Both(configuration, first, {STACK_NAME: outputs(configuration), SECOND: second})
    finally:
        down(configuration)


def test_nothing_is_named_twice(both: Both) -> None:
    ids: dict[str, set[tuple[str, str]]] = {}
    with both.aws.client("cloudformation") as cloudformation:
        for name in both.outputs:
            pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
            ids[name] = {
                (each["ResourceType"], each["PhysicalResourceId"])
                for page in pages
                for each in page["StackResourceSummaries"]
                if each["ResourceType"] not in NAMED_WITHIN
            }
    first, second = (both.outputs[name] for name in (STACK_NAME, SECOND))

    assert len(ids[SECOND]) > 150
    assert ids[STACK_NAME] & ids[SECOND] == set()
    assert {name for name in first if first[name] == second.get(name)} == set()


def test_what_became_of_a_text_reaches_the_stack_that_sent_it_and_the_other_gives_it_up_in_peace(both: Both) -> None:
    """SNS writes one log for all: the first stack hears of an id that nobody there knows, and waits for its owner."""
    function = both.outputs[SECOND]["OperateStackFunction"]
    business_id = operate(both.configuration, function, BUSINESS)["business_id"]
    key = operate(both.configuration, function, {"command": "create-key", "business_id": business_id})["api_key"]
    url = both.configuration.public_url.format(api_id=both.outputs[SECOND]["ApiId"])
    api = ReboundApi(url, key, business_id)
    customer_id = api.new_customer(mobile_phone=NUMBER)
    message = {"customer_id": customer_id, "category": "reminder", "channel": "sms", "content": {"body": "At ten"}}
    message_id = api.post("/v1/messages", message)["message_id"]
    until(
        "delivered in the stack that sent it",
        lambda: api.message(customer_id, message_id)["status"],
        lambda seen: seen == "delivered",
    )
    until("unknown to the other", lambda: both.counted(STACK_NAME, "EarlyReceipts"), lambda seen: seen > 0)
    assert both.counted(SECOND, "EarlyReceipts") == both.counted(STACK_NAME, "UnattributedReceipts") == 0
    assert [queue for queue in both.aws.queues() if "DeadLetter" in queue.name and queue.messages] == []


def test_each_stack_has_businesses_and_keys_of_its_own(both: Both) -> None:
    url = both.configuration.public_url.format(api_id=both.outputs[SECOND]["ApiId"])

    assert ReboundApi(url, both.first.api_key, both.first.business_id).send("GET", "/v1/business").status in {401, 403}
