"""AWS in memory (moto), with the tables exactly as ``template.yaml`` defines them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import boto3
import botocore.session
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends
from samtranslator.yaml_helper import yaml_parse

from rebound.templates.adapters.dynamo_templates import KEPT
from tests.fakes.light_aws import light_aws

REPOSITORY: Final = Path(__file__).parents[2]
REGION: Final = "us-east-1"
ACCOUNT: Final = "123456789012"
"""Whose account moto's is."""
ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
}
SETTING_OF: Final = {
    "CustomersTable": "CUSTOMERS_TABLE",
    "CustomerIndexTable": "CUSTOMER_INDEX_TABLE",
    "ContactsTable": "CONTACTS_TABLE",
    "ContactHistoryTable": "CONTACT_HISTORY_TABLE",
    "MessagesTable": "MESSAGES_TABLE",
    "CampaignsTable": "CAMPAIGNS_TABLE",
    "ChunksTable": "CHUNKS_TABLE",
    "DirectoryTable": "DIRECTORY_TABLE",
    "FrequenciesTable": "FREQUENCIES_TABLE",
    "IdempotencyTable": "IDEMPOTENCY_TABLE",
    "PacesTable": "PACES_TABLE",
    "WebhookDeliveriesTable": "WEBHOOK_DELIVERIES_TABLE",
    "TextPlansTable": "TEXT_PLANS_TABLE",
    "TimersTable": "TIMERS_TABLE",
    "ActivityTable": "ACTIVITY_TABLE",
    "RecurringTable": "RECURRING_TABLE",
    "SequencesTable": "SEQUENCES_TABLE",
}
"""The setting that holds the name of each table of the template."""

# Every session would read the services' models for itself, and a test makes dozens of sessions.
botocore.session.create_loader = cache(botocore.session.create_loader)


@cache
def table_definitions() -> Mapping[str, Mapping[str, Any]]:
    """The properties of every table in the template, by logical id."""
    template = yaml_parse((REPOSITORY / "template.yaml").read_text(encoding="utf-8"))
    return {
        logical: resource["Properties"]
        for logical, resource in template["Resources"].items()
        if resource["Type"] == "AWS::DynamoDB::Table"
    }


def make(service: str) -> Any:
    """A client that tries nothing twice."""
    client: Any = boto3.client
    return client(service, region_name=REGION)


def create_tables() -> dict[str, str]:
    """Create every table of the template; settings with their names."""
    client = make("dynamodb")
    names: dict[str, str] = {}
    for logical, properties in table_definitions().items():
        more: dict[str, Any] = {}
        if "StreamSpecification" in properties:
            more["StreamSpecification"] = {"StreamEnabled": True, **properties["StreamSpecification"]}
        if "GlobalSecondaryIndexes" in properties:
            more["GlobalSecondaryIndexes"] = properties["GlobalSecondaryIndexes"]
        client.create_table(
            TableName=logical,
            BillingMode=properties["BillingMode"],
            KeySchema=properties["KeySchema"],
            AttributeDefinitions=properties["AttributeDefinitions"],
            **more,
        )
        names[SETTING_OF[logical]] = logical
    return names


@contextmanager
def fake_aws() -> Iterator[None]:
    """AWS in memory, and credentials that open nothing anywhere else."""
    with patch.dict("os.environ", ENVIRONMENT), mock_aws(), light_aws():
        yield


@contextmanager
def fake_aws_with_tables() -> Iterator[dict[str, str]]:
    """AWS in memory with the template's tables; settings with their names."""
    with fake_aws():
        yield create_tables()


def empty_tables() -> None:
    """Take every row out of every table; much faster than new tables and new clients."""
    KEPT.clear()
    backend: Any = dynamodb_backends[ACCOUNT][REGION]
    for table in backend.tables.values():
        table.items.clear()
        if table.stream_shard is not None:
            # moto copies them all at each transaction.
            table.stream_shard.items.clear()


def rows() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, as DynamoDB writes them."""
    backend: Any = dynamodb_backends[ACCOUNT][REGION]
    return {
        name: [item.to_json()["Attributes"] for item in table.all_items()] for name, table in backend.tables.items()
    }
