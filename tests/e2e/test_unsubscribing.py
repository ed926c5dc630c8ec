"""Links in emails: a mail program's one click, and a person with a phone, in a browser that runs no scripts."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.browser import demand_browser, phone
from tests.e2e.rebound_api import ReboundApi, exchange
from tests.e2e.surroundings import Calm, Send, Twin
from tests.e2e.waiting import until

FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
FINGER_PIXELS: Final = 44
"""WCAG 2.2, "target size (enhanced)"."""
PEOPLE: Final = ("clicker", "looker", "reader")


def email_of(name: str) -> str:
    return f"{name}@unsubscribing.example.com"


@pytest.fixture(scope="module")
def customers(api: ReboundApi) -> Mapping[str, str]:
    """The ids of some customers."""
    return {name: api.new_customer(first_name=name, email=email_of(name)) for name in PEOPLE}


@pytest.fixture(scope="module")
def sends(api: ReboundApi, twin: Twin, calm: Calm, customers: Mapping[str, str]) -> Mapping[str, Send]:
    """What each of them got from a marketing campaign."""
    calm.settled(api, api.new_campaign("email", customer_ids=list(customers.values())))
    return {name: twin.sends_of(api, email_of(name))[0] for name in customers}


def link_of(send: Send) -> str:
    headers: Mapping[str, str] = send.content["headers"]
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = headers["List-Unsubscribe"]
    assert (link[0], link[-1]) == ("<", ">")
    return link[1:-1]


def test_one_click_of_a_mail_program_keeps_the_next_campaign_away(
    api: ReboundApi, twin: Twin, calm: Calm, customers: Mapping[str, str], sends: Mapping[str, Send]
) -> None:
    who, link = customers["clicker"], link_of(sends["clicker"])
    for _ in range(2):
        answer = exchange("POST", link, b"List-Unsubscribe=One-Click", FORM).expecting(200)
        assert "set-cookie" not in answer.headers
        assert b"You are unsubscribed" in answer.body
    assert api.contact(who, "email")["opted_out"] == ["marketing"]

    campaign_id = api.new_campaign("email", customer_ids=[who, customers["looker"]])
    settled = calm.settled(api, campaign_id)

    assert settled.campaign["audience"]["excluded"] == {"opted_out": 1}
    assert len(twin.sends_of(api, email_of("clicker"))) == 1
    assert len(twin.sends_of(api, email_of("looker"))) == 2


def test_whoever_only_looks_and_whatever_is_no_link_changes_nothing(
    api: ReboundApi, customers: Mapping[str, str], sends: Mapping[str, Send]
) -> None:
    link = link_of(sends["looker"])
    preferences = re.findall(r'href="([^"]*/v1/preferences/[^"]*)"', sends["looker"].content["html"])[0]
    for url in (link, preferences):
        shown = exchange("GET", url).expecting(200)
        assert shown.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in shown.headers["content-security-policy"]
        assert shown.headers["cache-control"] == "no-store"
        assert exchange("HEAD", url).expecting(200).body == b""
        exchange("POST", url, b"List-Unsubscribe=Perhaps", FORM).expecting(400)
        exchange("POST", url, b"x" * 5000, FORM).expecting(413)
        for method in ("PUT", "PATCH", "DELETE"):
            assert exchange(method, url, b"List-Unsubscribe=One-Click", FORM).status in {401, 403, 404, 405}
        forged = url[:-1] + ("A" if url[-1] != "A" else "Q")
        for method in ("GET", "POST"):
            answer = exchange(method, forged, b"List-Unsubscribe=One-Click", FORM).expecting(404)
            assert b"This link does not work" in answer.body
    assert api.contact(customers["looker"], "email")["opted_out"] == []


def test_a_person_unsubscribes_and_comes_back_on_a_phone_without_scripts(
    api: ReboundApi, twin: Twin, calm: Calm, customers: Mapping[str, str], sends: Mapping[str, Send], tmp_path: Path
) -> None:
    demand_browser()
    link = re.findall(r'href="([^"]*/v1/unsubscribe/[^"]*)"', sends["reader"].content["html"])[0]

    def opted_out() -> list[str]:
        found: list[str] = api.contact(customers["reader"], "email")["opted_out"]
        return found

    with phone(tmp_path / "profile") as browser:
        browser.open(
            "data:text/html,<title>still</title><script>document.title='ran'</script><h1>Hello</h1>", then="Hello"
        )
        assert browser.title == "still"

        browser.open(link, then="Unsubscribe from our offers and news?")
        assert browser.text(".business") == "test_unsubscribing"
        assert browser.names("button") == ["Unsubscribe"]
        assert browser.size("main")[0] == browser.size("html")[0] == 390
        assert browser.size("button")[1] >= FINGER_PIXELS
        assert opted_out() == []

        browser.click("button", then="You are unsubscribed")
        assert opted_out() == ["marketing"]

        browser.click("a", then="What you get from us")
        assert browser.attribute("#marketing", "checked") in (None, "false")
        assert browser.attribute("#transactional", "checked") == "true"
        labels = ["What I", "Offers and", "Loyalty emails", "About my", "Nothing at"]
        names = browser.names("input:not([type=hidden])")
        assert [" ".join(name.split()[:2]) for name in names] == labels
        assert min(browser.size("label")[1], browser.size("button")[1]) >= FINGER_PIXELS

        browser.click("label[for=marketing]")
        browser.click("button")
        until("it is saved", lambda: browser.text("[role=status]"), lambda said: said == "Saved.")
        assert browser.attribute("#marketing", "checked") == "true"
        assert opted_out() == []

    calm.settled(api, api.new_campaign("email", customer_ids=[customers["reader"]]))
    assert len(twin.sends_of(api, email_of("reader"))) == 2
