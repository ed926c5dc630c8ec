"""Rows as they lie in the tables: when they expire, what is not kept in them, and texts that are not ASCII."""

from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from boto3.dynamodb.types import TypeDeserializer

from rebound.businesses.domain.frequency import Frequency, FrequencyCap, HandOver
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.provider_codes import Provider
from rebound.templates.domain.content import EmailContent
from tests.fakes.aws import make, rows
from tests.fakes.house import EveryPorts
from tests.fakes.making import (
    BUSINESS_ID,
    CAMPAIGN_ID,
    at,
    campaign,
    chunk,
    contact_key,
    customer,
    id_of,
    message,
    message_key,
)

DAY: Final = timedelta(days=1)
READ: Final = TypeDeserializer()


def row(table: str) -> dict[str, Any]:
    """The only row of a table."""
    (found,) = rows()[table]
    return {name: READ.deserialize(value) for name, value in found.items()}


def expires(table: str) -> datetime:
    return datetime.fromtimestamp(int(row(table)["expires_at"]), UTC)


def test_a_message_is_kept_for_400_days_from_when_it_was_queued(over_dynamodb: EveryPorts) -> None:
    over_dynamodb.messages.record([message(queued_at=at(-9 * 86400))])

    assert expires("MessagesTable") == at(-9 * 86400) + 400 * DAY


def test_a_chunk_is_kept_as_long_as_its_messages(over_dynamodb: EveryPorts) -> None:
    over_dynamodb.chunks.add(chunk(created_at=at(-86400)))

    assert expires("ChunksTable") == at(-86400) + 400 * DAY


@pytest.mark.parametrize("single", [False, True])
def test_only_the_carrier_of_a_message_to_one_person_expires(over_dynamodb: EveryPorts, single: bool) -> None:
    over_dynamodb.campaigns.add(
        campaign(single=single, campaign_id=f"single-{CAMPAIGN_ID}" if single else CAMPAIGN_ID, created_at=at(-86400))
    )

    if single:
        assert expires("CampaignsTable") == at(-86400) + 30 * DAY
    else:
        assert "expires_at" not in row("CampaignsTable")


def test_places_are_kept_for_a_day_longer_than_any_cap_looks_at_them(over_dynamodb: EveryPorts) -> None:
    cap = FrequencyCap("One", (Category.MARKETING,), at_most=1, within_days=7)
    place = HandOver("m", at(0), Category.MARKETING, Channel.EMAIL)
    frequency = Frequency(BUSINESS_ID, id_of(1)).reserving(place, [cap])
    over_dynamodb.frequencies.save(frequency, at(0) + 7 * DAY)

    assert expires("FrequenciesTable") == at(0) + 8 * DAY


def test_of_a_chunk_that_is_done_nothing_is_left_of_its_last_attempt(over_dynamodb: EveryPorts) -> None:
    ports = over_dynamodb
    ports.chunks.add(chunk())
    _, mine = ports.chunks.claim(chunk().key, "me", at(0), timedelta(seconds=90))
    ports.chunks.mark(mine, at(1), [id_of(2)])
    ports.chunks.finish(mine)
    left = row("ChunksTable")

    assert left["state"] == "done"
    assert {"owner", "leased_until", "waiting", "remaining", "not_before"} & left.keys() == set()


def test_of_a_chunk_that_is_put_back_only_who_is_left_and_until_when_is_kept(over_dynamodb: EveryPorts) -> None:
    ports = over_dynamodb
    ports.chunks.add(chunk())
    _, mine = ports.chunks.claim(chunk().key, "me", at(0), timedelta(seconds=90))
    ports.chunks.mark(mine, at(1), [id_of(2)])
    ports.chunks.put_back(mine, [id_of(2)], at(60))
    left = row("ChunksTable")
    (read,) = ports.chunks.page(CAMPAIGN_ID, None).items

    assert (left["state"], int(left["attempts"]), read.not_before) == ("pending", 1, at(60))
    assert {"owner", "leased_until", "waiting"} & left.keys() == set()


def test_what_is_kept_as_json_is_as_long_as_it_reads(over_dynamodb: EveryPorts) -> None:
    """Escapes would take up to twelve bytes a character, and a row is billed by its bytes."""
    over_dynamodb.campaigns.add(campaign(content=EmailContent("Grüße 🎉", text="Hi")))

    assert row("CampaignsTable")["content"] == '{"subject":"Grüße 🎉","html":null,"text":"Hi"}'


def test_whose_a_text_is_can_be_told_for_longer_than_its_provider_reports_it(over_dynamodb: EveryPorts) -> None:
    over_dynamodb.messages.remember_provider_id(Provider.SNS, "sns-1", message_key())

    assert datetime.now(UTC) + 3 * DAY < expires("MessagesTable") < datetime.now(UTC) + 8 * DAY


def test_a_campaign_that_was_written_before_rows_had_a_version_can_be_changed(over_dynamodb: EveryPorts) -> None:
    over_dynamodb.campaigns.add(campaign())
    key = {"business_id": {"S": BUSINESS_ID}, "campaign_id": {"S": CAMPAIGN_ID}}
    make("dynamodb").update_item(TableName="CampaignsTable", Key=key, UpdateExpression="REMOVE version")
    before = over_dynamodb.campaigns.get(BUSINESS_ID, CAMPAIGN_ID)
    over_dynamodb.campaigns.replace(before, replace(before, recalling=True))
    after = over_dynamodb.campaigns.get(BUSINESS_ID, CAMPAIGN_ID)

    assert (before.version, after.version) == (0, 1)
    assert (before.recalling, after.recalling) == (False, True)
    over_dynamodb.campaigns.replace(after, replace(after, recalling=False))
    assert "recalling" not in row("CampaignsTable")


def test_who_left_an_address_is_known_for_as_long_as_their_messages_are(over_dynamodb: EveryPorts) -> None:
    over_dynamodb.departures.note([customer(1, mobile_phone=None)], at(0))

    assert expires("DirectoryTable") == at(0) + 400 * DAY
    assert row("DirectoryTable")["business_id"] == f"departures#{contact_key(1).digest}"
    assert row("DirectoryTable")["entry_id"] == f"departure#{id_of(1)}"
