"""The settings of a business are read from rows that were written long ago, and written as they always were."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from rebound.businesses.domain.business import Business
from rebound.businesses.http import BusinessAnswer, BusinessChangeRequest
from rebound.platform.adapters.dynamo import JsonAttribute
from tests.fakes import house
from tests.fakes.aws import make
from tests.fakes.making import BUSINESS_ID
from tests.integration.conftest import Stack

ROWS: Final[list[dict[str, Any]]] = [
    json.loads(line)
    for line in Path(__file__).with_name("stored_settings.jsonl").read_text(encoding="utf-8").splitlines()
]
"""Documents from when each setting had code of its own to write and to read it, with the answer of the API to them.

Those that are not whole lack settings and options, as rows do that are older than these. Which categories wait at night
by default follows from the categories, and is not said here.
"""


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_read_as_it_always_was_and_written_byte_for_byte(row: dict[str, Any], stack: Stack) -> None:
    table, key = stack.settings["DIRECTORY_TABLE"], {"business_id": {"S": BUSINESS_ID}, "entry_id": {"S": "settings#"}}
    written = JsonAttribute().serialize(row["document"])
    version = {} if row["version"] is None else {"version": {"N": str(row["version"])}}
    make("dynamodb").put_item(TableName=table, Item={**key, **version, "document": {"S": written}})
    before = stack.api("GET", "/v1/business").body
    directory = house.ports().businesses
    directory.replace(directory.get(BUSINESS_ID))
    after = make("dynamodb").get_item(TableName=table, Key=key)["Item"]

    kept = json.loads(after["document"]["S"])

    for name, was in row["settings"].items():
        # Further options may have come, such as another name for one.
        assert (before[name] | was if isinstance(was, dict) else was) == before[name], name
    assert stack.api("GET", "/v1/business").body == before
    assert after["version"] == {"N": str((row["version"] or 0) + 1)}
    if row["is_whole"]:
        assert JsonAttribute().serialize({name: kept[name] for name in kept if name in row["document"]}) == written


def test_every_setting_is_shown_and_can_be_changed_by_its_own_name() -> None:
    # What webhooks want is set and shown with them, a text plan by routes of its own; the rest is the operator's.
    settings = set(Business.__struct_fields__) - {
        "version",
        "webhooks",
        "text_plan",
        "customers_indexed",
        "has_waivers",
        "shares_customers",
        "goals_until",
    }

    assert set(BusinessAnswer.model_fields) == settings | {"bundle", "confirmed_test_recipients"}
    assert set(BusinessChangeRequest.model_fields) == settings - {
        "business_id",
        "bundles",
        "senders",
        "hold",
        "lifted_holds",
    }


def test_a_business_that_turns_to_the_accounts_own_way_of_texting_leaves_its_senders_pace_behind(stack: Stack) -> None:
    kept = stack.api("GET", "/v1/business").body["text_rate"]
    turned = stack.api("PATCH", "/v1/business", {"text_provider": "sns"})
    refused = stack.api("PATCH", "/v1/business", {"text_rate": 500})

    assert (kept, turned.status, turned.body["text_rate"]) == (1000.0, 200, None)
    assert (refused.status, refused.fields) == (422, ["text_rate"])
    assert stack.api("PATCH", "/v1/business", {"text_rate": 20}).status == 200
