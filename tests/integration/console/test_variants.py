"""A campaign with variants in the console: results by variant on its page, and the composer leaves them as they are."""

import re
from copy import replace
from typing import Final

import pytest

from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.kernel.audiences import Audience
from rebound.messages.domain.variants import Split, Variant
from rebound.templates.domain.content import EmailContent
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, CAMPAIGN_ID, RUN_ID, at, campaign
from tests.integration.conftest import Stack
from tests.integration.console.desk import Desk

PATH: Final = f"/console/campaigns/{CAMPAIGN_ID}"
ATTACK: Final = "<b>B</b>"
VARIANTS: Final = (
    Variant("Short", 3_340, EmailContent("Short", None, "Come.")),
    Variant(ATTACK, 6_660, EmailContent("Long", None, "Do come.")),
)


@pytest.fixture
def desk(stack: Stack) -> Desk:
    return Desk(stack).sign_in()


def divided(status: CampaignStatus) -> None:
    made = campaign(status=status, content=VARIANTS[0].content, split=Split(CAMPAIGN_ID, VARIANTS, 1_000))
    house.ports().campaigns.add(
        made if status is CampaignStatus.DRAFT else replace(made, run_id=RUN_ID, started_at=at(0))
    )


def rows(text: str) -> list[list[str]]:
    section = text.partition('id="variants"')[2].partition("</section>")[0]
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", section, re.DOTALL)]
    return cells[1:]


def test_the_page_says_what_came_of_each_variant(stack: Stack, desk: Desk) -> None:
    divided(CampaignStatus.COMPLETED)
    ports = house.ports()
    planned = {"Short": 40, ATTACK: 80}
    ports.expansion.commit(
        replace(ports.expansion.get(CAMPAIGN_ID, 0), audience=Audience(130, {}, variants=planned), done=True)
    )
    of_short = {"delivered": 30, "bounced": 4, "failed": 1, "excluded": 5, "opted_out": 2}
    labels = {f"{what}~Short": count for what, count in of_short.items()}
    labels |= {f"delivered~{ATTACK}": 80, "delivered": 110, "bounced": 4, "failed": 1, "excluded:holdout": 10}
    ports.tallies.add(CAMPAIGN_ID, "shard", {**labels, "excluded:opted_out": 5}, after=None, position="1")
    seen = desk.get(PATH)

    assert rows(seen.text) == [
        ["Short", "33.4 %", "35", "30", "4", "2"],
        ["&lt;b&gt;B&lt;/b&gt;", "66.6 %", "80", "80", "0", "0"],
    ]
    assert ("Held out to compare" in seen.text, ATTACK in seen.text) == (True, False)


def test_the_composer_leaves_variants_as_they_are(stack: Stack, desk: Desk) -> None:
    divided(CampaignStatus.DRAFT)
    shown = desk.get(f"{PATH}/what")
    version = str(house.ports().campaigns.get(BUSINESS_ID, CAMPAIGN_ID).version)
    given = {"do": "save", "say": "own", "subject": "Other", "text": "Other", "version": version}
    saved = desk.post(f"{PATH}/what", given)
    kept = house.ports().campaigns.get(BUSINESS_ID, CAMPAIGN_ID)

    assert "one thing to some and another to others" in shown.text
    assert saved.status == 303, saved.text
    assert kept.split == Split(CAMPAIGN_ID, VARIANTS, 1_000)
    assert kept.content == VARIANTS[0].content
