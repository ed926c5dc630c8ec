"""A campaign's page says when results came in."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.console.wiring import use_cases
from rebound.messages.domain.labels import in_span
from rebound.messages.domain.messages import MessageStatus
from rebound.staff.domain import Role
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, CAMPAIGN_ID, RUN_ID, at, campaign
from tests.integration.conftest import Stack
from tests.integration.console.conftest import OWNER, WIDTHS, check
from tests.integration.console.test_campaign import PATH, desk, sent


def test_what_came_when_is_drawn_and_told(stack: Stack) -> None:
    sent()
    # In the business's zone, which is five hours behind.
    seen = desk(stack).get(PATH).text.partition('id="over-time"')[2].partition("</section>")[0]
    text = re.sub(r"\s+", " ", re.sub(r"<title>.*?</title>|<[^>]+>", " ", seen))
    assert "Delivered 31 up to 18 in five minutes" in text
    assert "Not delivered 6 up to 4 in five minutes" in text
    assert "Sent, no word yet 10 up to 6 in five minutes" in text
    assert "1 came later than is drawn; the table has it." in text
    assert text.count("20 Nov 2026, 05:00") == 2
    assert "20 Nov 2026, 05:05 9 4 6 " in text
    assert seen.count("<rect") == 4 + 2 + 3
    assert "<title>20 Nov 2026, 05:45: 1</title>" in seen


@pytest.mark.parametrize(
    ("labels", "told"), [({"delivered": 5}, "before Rebound kept when"), ({}, "Nothing has been sent yet.")]
)
def test_where_nothing_is_drawn_words_say_why(stack: Stack, labels: dict[str, int], told: str) -> None:
    house.ports().campaigns.add(campaign(status=CampaignStatus.COMPLETED, run_id=RUN_ID, started_at=at(0)))
    house.ports().tallies.add(CAMPAIGN_ID, "shard", labels, after=None, position="1")
    seen = desk(stack).get(PATH).text
    assert told in seen
    assert 'class="strip"' not in seen


@pytest.fixture
def german_phone(chromium: Browser) -> Iterator[Page]:
    """A phone of somebody who reads German, at night."""
    context = chromium.new_context(
        viewport={"width": WIDTHS["phone"], "height": 900}, locale="de-DE", color_scheme="dark"
    )
    yield context.new_page()
    context.close()


def test_a_day_of_sending_is_read_in_german_on_a_phone_at_night(console: str, stack: Stack, german_phone: Page) -> None:
    behind, made = use_cases(), sent(CampaignStatus.COMPLETED)
    by_hour = {in_span(MessageStatus.DELIVERED, span): 4_000 + 37 * span % 900 for span in range(36, 52)}
    counts = {
        **by_hour,
        "delivered": sum(by_hour.values()),
        "sent": 400,
        "sent@51": 400,
        "bounced": 70,
        "bounced@40": 70,
    }
    house.ports().tallies.add(made.campaign_id, "other shard", counts, after=None, position="1")
    behind.invite(BUSINESS_ID, OWNER, Role.OWNER, console_url=console)
    german_phone.goto(f"{console}/sign-in/{behind.make_link(OWNER, BUSINESS_ID)}")
    german_phone.get_by_role("button", name="Anmelden").click()
    german_phone.wait_for_url("**/console/customers")
    german_phone.goto(f"{console}/campaigns/{CAMPAIGN_ID}")
    german_phone.locator("#over-time-numbers summary").click()
    expect(german_phone.locator(".strip").first).to_contain_text("in einer Stunde")
    check(german_phone, "campaign-over-time-german-phone-dark")
