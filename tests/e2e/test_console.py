"""The console in a browser on the deployed stack: who is flagged and why, an address mended, out and in by code."""

import re
import shutil

from playwright.sync_api import expect, sync_playwright

from tests.e2e.browser import BROWSERS, demand_browser
from tests.e2e.rebound_api import ReboundApi
from tests.e2e.surroundings import RUN, Calm, Operator, Twin
from tests.e2e.waiting import until


def test_an_owner_finds_who_is_flagged_mends_the_address_and_signs_in_by_code(
    api: ReboundApi, calm: Calm, operator: Operator, twin: Twin
) -> None:
    demand_browser()
    whom = ("--business-id", api.business_id, "--email", f"owner-{RUN}@example.com")
    link = operator.run("invite", *whom, "--role", "owner")["link"]
    bad = api.new_customer("Bad", "Console", email="bounce+console@simulator.amazonses.com")
    api.new_customer("Good", "Console", email="console@example.com")
    api.new_message(bad, "email")
    calm.wait()
    until("the flag", lambda: api.get("/v1/customers/count", failed="email")["count"], bool)
    with sync_playwright() as playwright:
        path = next(filter(None, map(shutil.which, BROWSERS)))
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        page = browser.new_page()
        page.set_default_timeout(60_000)
        page.goto(link)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/console/customers")
        page.get_by_label("Not reached").select_option("email")
        expect(page.locator("tbody tr")).to_have_count(1)
        expect(page.locator("tbody .bad")).to_contain_text("since")
        page.get_by_role("link", name="Bad Console").click()
        page.get_by_label("Email", exact=True).fill("mended@example.com")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status")).to_have_text("Saved.")
        assert api.get(f"/v1/customers/{bad}")["email"] == "mended@example.com"
        page.locator("details.me summary").click()
        page.get_by_role("button", name="Sign out", exact=True).click()
        page.get_by_label("Email").fill(whom[-1])
        page.get_by_role("button").click()
        page.wait_for_url("**/console/sign-in-code")
        text = [send.content["text"] for send in twin.sends() if send.to == whom[-1]][-1]
        page.get_by_label("Code").fill(re.findall(r"\d{8}", text)[0])
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/console/customers")
        browser.close()
