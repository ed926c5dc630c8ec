"""What must not be lost or replaced by an update, and names that are made of the stack's."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import botocore.session
import pytest

from tests.fakes.aws import REPOSITORY
from tests.fakes.deployment import STACK, Template

TEMPLATE: Final = Template(SenderIdentity="example.com", TwilioSecretArn="twilio", TextLogGroups="create")
TABLES: Final = TEMPLATE.of_type("AWS::DynamoDB::Table")
KEYS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "CustomersTable": {"": ("business_id", "customer_id")},
    "CustomerIndexTable": {"": ("place", "entry")},
    "ContactsTable": {"": ("contact_id",)},
    "ContactHistoryTable": {
        "": ("contact_id", "entry_id"),
        "RepliesOfBusiness": ("business_id", "received_at"),
        "RepliesToReview": ("waiting_for", "received_at"),
    },
    "MessagesTable": {"": ("recipient_id", "message_id")},
    "CampaignsTable": {"": ("business_id", "campaign_id"), "RunningCampaigns": ("running", "campaign_id")},
    "ChunksTable": {"": ("campaign_id", "chunk")},
    "DirectoryTable": {"": ("business_id", "entry_id")},
    "FrequenciesTable": {"": ("recipient_id",)},
    "PacesTable": {"": ("account", "flow")},
    "TextPlansTable": {"": ("entry_id",)},
    "TimersTable": {"": ("shard", "timer")},
    "ActivityTable": {"": ("owner", "entry_id")},
    "RecurringTable": {"": ("owner", "entry")},
    "SequencesTable": {"": ("part", "entry")},
    "IdempotencyTable": {"": ("id",)},
    "WebhookDeliveriesTable": {"": ("webhook", "delivery_id")},
}
"""The keys of each table and index. Another key is another table to CloudFormation: it makes an empty one instead.

Whoever needs one makes a new table beside the old one, and moves the rows.
"""
MADE_ANEW: Final = {"FrequenciesTable", "PacesTable", "IdempotencyTable", "WebhookDeliveriesTable"}
"""Tables whose rows are of use for days, or at most for a month."""
KEPT: Final = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret")


def keys_of(schema: list[Mapping[str, str]]) -> tuple[str, ...]:
    return tuple(each["AttributeName"] for each in schema)


@pytest.mark.parametrize("logical", TABLES)
def test_no_update_replaces_a_table(logical: str) -> None:
    """These are the properties whose change does (AWS::DynamoDB::Table, "Update requires: Replacement")."""
    table = TABLES[logical]
    indexes = {each["IndexName"]: keys_of(each["KeySchema"]) for each in table.get("GlobalSecondaryIndexes", ())}

    assert {"": keys_of(table["KeySchema"]), **indexes} == KEYS[logical]
    assert not {"TableName", "LocalSecondaryIndexes", "ImportSourceSpecification"} & table.keys()


def test_no_table_that_was_there_has_gone() -> None:
    assert TABLES.keys() >= KEYS.keys()


@pytest.mark.parametrize(
    "logical",
    [name for kind in KEPT for name in TEMPLATE.of_type(kind) if name not in MADE_ANEW],
)
def test_what_cannot_be_made_again_outlives_the_stack_and_its_replacement(logical: str) -> None:
    resource = TEMPLATE.resources[logical]

    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_the_guide_names_exactly_what_remains_after_the_stack_is_deleted() -> None:
    guide = (REPOSITORY / "docs" / "guide" / "deploy.md").read_text(encoding="utf-8")
    section = guide.partition("## What remains after `sam delete`")[2].partition("\n## ")[0]
    retained = {name for name, each in TEMPLATE.resources.items() if "Retain" in each.get("DeletionPolicy", "Delete")}

    assert set(re.findall(r"`(\w+(?:Table|Bucket|Secret))`", section)) == retained


# --- names ------------------------------------------------------------------------------------------------------------


MODELS: Final = {
    "AWS::Events::EventBus": ("events", "CreateEventBus", "Name"),
    "AWS::Logs::LogGroup": ("logs", "CreateLogGroup", "logGroupName"),
    "AWS::Scheduler::ScheduleGroup": ("scheduler", "CreateScheduleGroup", "Name"),
    "AWS::Serverless::StateMachine": ("stepfunctions", "CreateStateMachine", "name"),
}
"""Where AWS's own model says how long a name may be."""
SAID: Final = {"AWS::CloudWatch::Dashboard": 255, "AWS::Serverless::Api": 1024}
"""Where only the documentation does."""
NAMES: Final = ("Name", "LogGroupName", "DashboardName")


def longest(kind: str) -> int:
    if kind in SAID:
        return SAID[kind]
    service, operation, member = MODELS[kind]
    shape = botocore.session.get_session().get_service_model(service).operation_model(operation).input_shape
    return int(shape.members[member].metadata["max"])  # type: ignore[union-attr]


def names_of_the_stack() -> Iterator[tuple[str, int]]:
    """Each name that is made of the stack's, and how many characters it leaves for that."""
    for logical, resource in TEMPLATE.resources.items():
        for named in NAMES:
            given: Any = resource.get("Properties", {}).get(named)
            if given is not None and "AWS::StackName" in str(given):
                made = str(TEMPLATE.value(given)).replace("us-east-1", "ap-southeast-99")
                yield logical, longest(resource["Type"]) - (len(made) - len(STACK))


def test_the_guide_says_how_long_a_stacks_name_may_be() -> None:
    guide = (REPOSITORY / "docs" / "guide" / "deploy.md").read_text(encoding="utf-8")
    (said,) = re.findall(r"name of a stack has at most (\d+) characters", guide)
    left = dict(names_of_the_stack())

    assert len(left) > 30
    assert min(left.values()) == int(said)
