"""A message's id is the run's to one customer: always the same, nobody else's, and in the order of sending."""

import re
from copy import replace
from datetime import UTC, datetime

import pytest
from ulid import ULID

from rebound.campaigns.domain.campaigns import Campaign, CampaignStatus
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.segments.domain.selections import Selection
from rebound.templates.domain.content import TextContent

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
RUN = str(ULID.from_datetime(NOW))
CAMPAIGN = Campaign(
    business_id="salon-juniper",
    campaign_id="01J00000000000000000000000",
    name="Autumn",
    category=Category.MARKETING,
    channel=Channel.SMS,
    selection=Selection(filter={"all": []}),
    content=TextContent("Hello"),
    created_at=NOW,
    status=CampaignStatus.SENDING,
    run_id=RUN,
)


def test_every_customer_has_an_id_of_their_own_and_always_the_same() -> None:
    ids = {CAMPAIGN.message_id(f"{number:032x}") for number in range(2000)}

    assert len(ids) == 2000
    assert ids == {CAMPAIGN.message_id(f"{number:032x}") for number in range(2000)}
    assert not ids & {replace(CAMPAIGN, run_id=f"{RUN[:-1]}!").message_id(f"{number:032x}") for number in range(2000)}


def test_an_id_is_a_ulid_with_the_time_of_the_run() -> None:
    written = CAMPAIGN.message_id("0" * 32)

    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", written)
    assert ULID.from_str(written).datetime == ULID.from_str(RUN).datetime


def test_a_campaign_that_is_not_planned_has_no_messages() -> None:
    with pytest.raises(ValueError, match="planned"):
        replace(CAMPAIGN, run_id=None).message_id("0" * 32)
