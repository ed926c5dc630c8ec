"""The console in a browser on the deployed stack, as somebody uses it who has nothing else.

Pictures of the pages on the way are kept under ``.local/pictures``; ``make pictures`` puts them into the guide.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.e2e.browser import BROWSERS, demand_browser
from tests.e2e.rebound_api import ReboundApi, few_at_once
from tests.e2e.surroundings import RUN, Calm, Operator, Twin
from tests.e2e.waiting import until

PICTURES: Final = Path(".local/pictures/guide")
OURS: Final = "+15005550083"
"""A number of this module's own: every business that sends from a number hears what is texted to it."""
PEOPLE: Final = (
    ("Ana", "Silva"),
    ("Bram", "Dekker"),
    ("Chen", "Wu"),
    ("Dora", "Klein"),
    ("Emeka", "Obi"),
    ("Fatima", "Haddad"),
    ("Giulia", "Rossi"),
    ("Henrik", "Lund"),
    ("Ines", "Moreau"),
    ("Jonas", "Weber"),
)
FLAGGED: Final = {"Bram": "bounce+bram@simulator.amazonses.com", "Chen": "bounce+chen@simulator.amazonses.com"}
"""Whose mailbox does not exist."""
PATIENCE: Final = 90_000


@pytest.fixture(scope="module")
def api(operator: Operator) -> ReboundApi:
    """A salon of ten; two of them were written to and did not get it."""
    settings = ("--email-from", "hello@salon.example.com", "--text-from", OURS, "--text-rate", "1000")
    return operator.new_business("Juniper & Vale", *settings)


@pytest.fixture
def page() -> Iterator[Page]:
    demand_browser()
    with sync_playwright() as playwright:
        path = next(filter(None, map(shutil.which, BROWSERS)))
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        yield page
        browser.close()


def keep(page: Page, name: str) -> None:
    """A picture of what the window shows."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png")


def test_somebody_with_a_browser_mends_an_address_writes_a_campaign_and_settles_a_reply(
    api: ReboundApi, calm: Calm, operator: Operator, twin: Twin, page: Page
) -> None:
    api.patch("/v1/business", {"postal_address": "Juniper & Vale, 12 Orchard Street, Portland"})
    people = _furnish(api)
    calm.wait()
    until("the flags", lambda: api.get("/v1/customers/count", failed="email")["count"], lambda count: count == 2)
    whom = ("--business-id", api.business_id, "--email", f"owner-{RUN}@example.com")
    page.goto(operator.run("invite", *whom, "--role", "owner")["link"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/console/customers")
    keep(page, "customers")

    _mend(page)
    assert api.get(f"/v1/customers/{people['Bram']}")["email"] == "bram.dekker@example.com"
    _make_of_blocks(page)
    _write(page)
    campaigns = api.listing("/v1/campaigns")
    settled = calm.settled(api, campaigns[0]["campaign_id"])
    assert settled.audience["excluded"] == {"invalid_contact": 1, "taken_out": 1}
    assert settled.results["delivered"] == 8
    page.get_by_role("link", name="Campaigns").first.click()
    page.get_by_role("link", name="Autumn hours").click()
    expect(page.locator("main")).to_contain_text("8 of 8")
    keep(page, "campaign")
    _settle(page, api, twin)
    _come_back(page, twin, whom[-1])


def _furnish(api: ReboundApi) -> dict[str, str]:
    """The customers, by first name."""

    def add(who: tuple[str, str]) -> str:
        first, last = who
        number = PEOPLE.index(who)
        return api.new_customer(
            first,
            last,
            email=FLAGGED.get(first, f"{first}.{last}@example.com".lower()),
            mobile_phone=f"+1415555020{number}",
            general_tags=["autumn", "colour"] if number % 3 else ["autumn"],
        )

    people = dict(zip((first for first, _ in PEOPLE), few_at_once(add, PEOPLE), strict=True))
    for name in FLAGGED:
        api.new_message(people[name], "email")
    return people


def _mend(page: Page) -> None:
    """Find who is flagged and why, and mend one address."""
    page.get_by_label("Not reached").select_option("email")
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("tbody .bad").first).to_contain_text("Mailbox does not exist, since")
    keep(page, "flagged")
    page.get_by_role("link", name="Bram Dekker").click()
    page.get_by_label("Email", exact=True).fill("bram.dekker@example.com")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")


def _make_of_blocks(page: Page) -> None:
    """An email of blocks, as a template."""
    page.get_by_role("link", name="Templates").click()
    page.get_by_role("link", name="New email of blocks").click()
    page.get_by_label("Name", exact=True).fill("Autumn hours")
    page.get_by_label("Subject", exact=True).fill("Our autumn hours, ##{{first_name}}")
    page.get_by_role("group", name="Heading 1").get_by_label("Text", exact=True).fill("Hello ##{{first_name}}")
    text = page.get_by_role("group", name="Text 2").get_by_label("Text", exact=True)
    text.fill("From October on we open at **seven**.")
    page.get_by_role("button", name="Remove: Button 3").click()
    expect(page.frame_locator(".at-phone iframe:not(.coming)").get_by_text("we open at")).to_be_visible()
    keep(page, "layout")
    page.get_by_role("button", name="Save draft").first.click()
    expect(page.get_by_role("status").first).to_contain_text("The draft is saved.")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("status").first).to_contain_text("Published")


def _write(page: Page) -> None:
    """A segment, and a campaign to it; one of its people is taken out by hand."""
    page.get_by_role("link", name="Segments").click()
    page.get_by_role("link", name="New segment").click()
    page.get_by_label("Name", exact=True).fill("Autumn")
    page.get_by_label("Condition", exact=True).select_option("tag")
    page.get_by_role("button", name="Add a condition").click()
    page.get_by_label("Value", exact=True).fill("autumn")
    expect(page.locator("#live")).to_contain_text("10 customers")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")

    page.get_by_role("link", name="Campaigns").click()
    page.get_by_role("link", name="Write a campaign").first.click()
    page.get_by_label("Name of the campaign").fill("Autumn hours")
    page.get_by_label("For whom").select_option(label="Autumn")
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("radio", name="A template").check()
    page.get_by_role("combobox", name="Template").select_option(label="Autumn hours")
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("button", name="Save and go on").click()
    expect(page.locator("#who")).to_contain_text("9 people get it")
    expect(page.locator("#who")).to_contain_text("1 is left out")
    page.get_by_role("button", name="Take out Jonas Weber").click()
    expect(page.locator("#who")).to_contain_text("8 people get it")
    page.locator("#who").scroll_into_view_if_needed()
    keep(page, "composer")
    page.get_by_label("How many people get it? Type 8").fill("8")
    page.get_by_role("button", name="Send now").click()
    page.get_by_role("heading", name="Autumn hours").wait_for()


def _settle(page: Page, api: ReboundApi, twin: Twin) -> None:
    """A text that waits for somebody."""
    assert twin.text("+14155550203", OURS, "please stop texting me so early, thanks") is None
    page.get_by_role("link", name="Replies").click()
    page.get_by_role("heading", name="Dora Klein").wait_for()
    keep(page, "reply")
    page.get_by_role("button", name="Done, keep texting").click()
    expect(page.get_by_role("status")).to_contain_text("Dealt with.")
    assert api.listing("/v1/replies/review") == []


def _come_back(page: Page, twin: Twin, email: str) -> None:
    """Sign out, and in by a code."""
    page.locator("details.me summary").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_label("Email").fill(email)
    page.get_by_role("button").click()
    page.wait_for_url("**/console/sign-in-code")
    text = [send.content["text"] for send in twin.sends() if send.to == email][-1]
    page.get_by_label("Code").fill(re.findall(r"\d{8}", text)[0])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/console/customers")
