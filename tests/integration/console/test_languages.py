"""Whoever reads German or Italian reads no sentence of a use case in English, on any page and after any mistake.

The pages are asked for as ``crawl`` knows them, with customers in all kinds of states; their forms are sent with what
is wrong. The sentences are those of the catalogue, by the words between their places.
"""

import re
from collections.abc import Iterator
from html import unescape
from string import Formatter
from typing import Any, Final

import pytest

from rebound.console.http.routes import ROUTES
from rebound.console.http.words import LANGUAGES
from rebound.console.wiring import use_cases
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import Failure
from rebound.kernel.channels import Channel
from rebound.kernel.languages import read_words
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.messages import MessageStatus
from rebound.staff.domain import Role
from tests.fakes.making import BUSINESS_ID, RUN_ID, at, message
from tests.integration.conftest import Stack
from tests.integration.console.crawl import Made, fields_sent

OTHERS: Final = [language for language in LANGUAGES if language != "en"]
TELLING: Final = 24
"""Letters in a row that are enough to tell a sentence."""
SOME: Final = 10
"""Sentences that the pages have in English at least, and forms that refuse a mistake."""
IN_ENGLISH: Final = ("reference",)
"""The API's own documentation."""
_TAGS: Final = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL)


def pieces() -> frozenset[str]:
    """What stands between the places of the entries."""
    keys = read_words("console", f"said/{OTHERS[0]}")
    return frozenset(words for key in keys for words, *_ in Formatter().parse(key) if len(words) >= TELLING)


def english_in(html: str) -> list[str]:
    """The sentences of use cases that a page has in English."""
    shown = unescape(_TAGS.sub("\n", html))
    return sorted(each for each in pieces() if each in shown)


@pytest.fixture
def made(stack: Stack) -> Made:
    """One of everything, and customers to whom all kinds of things happened."""
    found = Made.of(stack)
    for customer_id in people(stack):
        history(customer_id)
    return found


def people(stack: Stack) -> Iterator[str]:
    for n, more in enumerate(STATES):
        profile = {"first_name": "Ida", "last_name": f"No{n}", **more}
        yield str(stack.api("POST", "/v1/customers", profile).body["customer_id"])


STATES: Final[tuple[dict[str, Any], ...]] = (
    {"email": "flagged@example.com", "mobile_phone": "+14155550131"},
    {"email": "out@example.com", "mobile_phone": "+14155550132", "reminders": {"email": False}},
    {"email": "both@example.com"},
    {"mobile_phone": "+14155550133", "time_zone": "Asia/Tokyo"},
)
CODES: Final = {Channel.EMAIL: (Provider.SES, "Permanent/NoEmail"), Channel.SMS: (Provider.TWILIO, "30005")}


def history(customer_id: str) -> None:
    """Messages of every outcome, an address that is flagged by it, and points."""
    ports = use_cases().ports
    customer = ports.customers.get(BUSINESS_ID, customer_id)
    for channel in Channel:
        key = customer.contact_key(channel)
        if key is None:
            continue
        provider, code = CODES[channel]
        ports.contacts.save(Contact(key).with_evidence(Failure(at(1), "m1", provider, code)))
        ports.messages.record(
            [
                message(
                    n,
                    status,
                    key=MessageKey(BUSINESS_ID, customer_id, f"{RUN_ID[:-2]}{list(Channel).index(channel)}{n}"),
                    channel=channel,
                    address=key.address,
                    provider=provider,
                    provider_code=code if status in (MessageStatus.BOUNCED, MessageStatus.FAILED) else None,
                    reason="opted_out" if status is MessageStatus.EXCLUDED else None,
                )
                for n, status in enumerate(MessageStatus)
            ]
        )


@pytest.mark.parametrize("language", OTHERS)
def test_no_page_says_anything_in_english(language: str, made: Made) -> None:
    seen = {}
    for route in ROUTES:
        if route.method == "GET" and not route.address.startswith(IN_ENGLISH):
            path = made.path(route)
            seen[path] = made.allowed(route).get(path, accept_language=language).text
    desk = made.desk(Role.OWNER)
    for customer in use_cases().ports.customers.page(BUSINESS_ID, limit=10).items:
        for tab in ("", "/timeline", "/points", "/activity", "/family", "/waiting", "/sequences"):
            path = f"/console/customers/{customer.customer_id}{tab}"
            seen[path] = desk.get(path, accept_language=language).text

    assert {path: english for path, html in seen.items() if (english := english_in(html))} == {}
    assert sum(f'<html lang="{language}"' in html for html in seen.values()) > 40
    assert len({said for path in seen for said in english_in(desk.get(path, accept_language="en").text)}) > SOME


@pytest.mark.parametrize(("value", "language"), [("-1", "de"), ("x" * 3000, "it"), ("##{{no}}\0", "de")])
def test_no_mistake_in_a_form_is_told_in_english(value: str, language: str, made: Made) -> None:
    seen = {}
    for address, fields in fields_sent(made).items():
        [route] = [route for route in ROUTES if route.address == address and route.method == "POST"]
        sent = {name: given if name.startswith("was_") else value for name, given in fields}
        seen[address] = made.allowed(route).post(made.path(route), sent, accept_language=language)
        made.forget()

    assert {path: english for path, answer in seen.items() if (english := english_in(answer.text))} == {}
    assert sum(answer.status in (409, 422) for answer in seen.values()) > SOME
