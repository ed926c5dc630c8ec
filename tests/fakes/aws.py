"""AWS in memory (moto), with the tables exactly as ``template.yaml`` defines them."""

import copy
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

import boto3
import botocore.session
from moto import mock_aws
from moto.dynamodb import models as moto_dynamodb
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.table import StreamShard, Table
from samtranslator.yaml_helper import yaml_parse

from rebound.templates.adapters.dynamo_templates import KEPT

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
    with patch.dict("os.environ", ENVIRONMENT), mock_aws(), _light_transactions():
        yield


@contextmanager
def _light_transactions() -> Iterator[None]:
    """Have moto copy each table of a transaction once, as what it goes back to, and not once for each row it writes.

    What was written to a change stream is never changed, so that a copy may have the same records.
    """
    transact, made = DynamoDBBackend.transact_write_items, threading.local()

    def transact_lightly(backend: Any, items: Any) -> None:
        made.copies = {}
        try:
            transact(backend, items)
        finally:
            made.copies = None

    def copied(thing: Any) -> Any:
        if getattr(made, "copies", None) is None or not isinstance(thing, Table):
            return copy.deepcopy(thing)
        if id(thing) not in made.copies:
            made.copies[id(thing)] = copy.deepcopy(thing)
        return made.copies[id(thing)]

    def shard_copied(shard: Any, memo: dict[int, Any]) -> Any:
        another = memo[id(shard)] = copy.copy(shard)
        another.items, another.table = list(shard.items), copy.deepcopy(shard.table, memo)
        return another

    with (
        patch.object(DynamoDBBackend, "transact_write_items", transact_lightly),
        patch.object(moto_dynamodb, "copy", SimpleNamespace(deepcopy=copied)),
        patch.object(StreamShard, "__deepcopy__", shard_copied, create=True),
    ):
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
