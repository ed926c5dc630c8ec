"""The campaigns under way: one suite against the fake and DynamoDB, whose index the benchmarks do not count."""

from collections.abc import Iterator
from copy import replace

import pytest

from rebound.campaigns.adapters.dynamo_campaigns import DynamoCampaignBook
from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.campaigns.ports import CampaignBook
from rebound.templates.domain.content import TextContent
from tests.contract.campaigns.fakes import MemoryCampaignBook
from tests.fakes.aws import fake_aws_with_tables
from tests.fakes.making import BUSINESS_ID, campaign


@pytest.fixture(params=["memory", "dynamodb"])
def campaigns(request: pytest.FixtureRequest) -> Iterator[CampaignBook]:
    if request.param == "memory":
        yield MemoryCampaignBook()
        return
    with fake_aws_with_tables() as tables:
        yield DynamoCampaignBook(tables["CAMPAIGNS_TABLE"])


def test_the_campaigns_under_way_are_found_without_others_and_without_what_they_say(
    campaigns: CampaignBook,
) -> None:
    under_way = {CampaignStatus.EXPANDING, CampaignStatus.SENDING, CampaignStatus.PAUSED}
    for number, status in enumerate(CampaignStatus):
        campaigns.add(campaign(campaign_id=f"01M7W6ARGFEXM6PVNM0V1C8F0{number}", status=status, run_id="run"))
    campaigns.add(campaign(campaign_id="single-1", status=CampaignStatus.SENDING, single=True))
    campaigns.add(campaign(campaign_id="01M7W6ARGFEXM6PVNM0V1C8F0X", business_id="other"))
    found = campaigns.under_way(BUSINESS_ID)

    assert {one.status for one in found} == under_way
    assert sorted(one.campaign_id for one in found) == [one.campaign_id for one in found]
    for one in found:
        stored = campaigns.get(BUSINESS_ID, one.campaign_id)
        assert one == replace(stored, content=TextContent(""))
        campaigns.replace(stored, replace(stored, status=CampaignStatus.CANCELLED))
    assert campaigns.under_way(BUSINESS_ID) == []
