"""Customers whom few filters find among many: some are looked at for each page, and all are found in the end."""

import re
from typing import Any, Final

import pytest

from rebound.console.http import customers
from rebound.kernel.channels import Channel
from rebound.segments.application import find_customers
from tests.fakes import house
from tests.integration.conftest import Stack
from tests.integration.console.desk import Desk, Seen, flag
from tests.integration.console.test_customers import MOST_REQUESTS, counted

SEGMENTS: Final[dict[str, dict[str, Any]]] = {
    "profile": {"tag": "rare"},
    "birthday": {"all": [{"tag": "rare"}, {"not": {"birthday": {"within_days": 2}}}]},
    "consent": {"all": [{"tag": "rare"}, {"consent": {"channel": "email", "scope": "marketing", "is": "opted_in"}}]},
    "failed": {"all": [{"tag": "rare"}, {"not": {"failed": "both"}}]},
    "visits": {"all": [{"tag": "rare"}, {"not": {"visits": {"at_least": 1}}}]},
    "tier": {"all": [{"tag": "rare"}, {"not": {"tier": "top"}}]},
    "nested": {"segment": "profile"},
}
ONWARDS: Final = '<form method="post" action="./customers"'
ASKED: Final = [
    {"tag": "rare"},
    {"q": "Rare"},
    {"tag": "rare", "q": "a"},
    {"tag": "rare", "failed": "email"},
    {"segment": "visits", "failed": "any"},
    {"segment": "tier", "failed": "any"},
    *({"segment": name} for name in SEGMENTS),
]


@pytest.fixture(autouse=True)
def salon(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten customers, of whom three are found; each request looks at two."""
    monkeypatch.setattr(find_customers, "FEW", 2)
    monkeypatch.setattr(find_customers, "LOOKS", (2, 2, 2))
    monkeypatch.setattr(customers, "PAGE", 2)
    for number in range(10):
        is_rare = number in {1, 4, 9}
        row = {"first_name": f"{'Rare' if is_rare else 'Often'}{number}", "last_name": "A"}
        row |= {"email": f"c{number}@example.com", "mobile_phone": f"+1415550010{number}"}
        assert stack.api("POST", "/v1/customers", {**row, "general_tags": ["rare"] if is_rare else []}).status == 201
        flag(f"c{number}@example.com")
    for contact in house.ports().contacts.in_use(None, 100).items:
        [customer_id] = house.ports().contacts.get_many([contact])[contact].customer_ids
        if contact.channel is Channel.EMAIL:
            house.ports().customers.copy_flag(contact, customer_id, invalid=True)
    for name, tree in SEGMENTS.items():
        body = {"name": name, "filter": tree}
        assert stack.api("PUT", f"/v1/segments/{name}", body).status == 200, name


def pages(desk: Desk, asked: dict[str, str]) -> list[Seen]:
    """All pages of a list, each with few requests."""
    found, more = [], {"csrf": desk.csrf}
    while True:
        with counted() as names:
            seen = desk.post("/console/customers", {**asked, **more})
        assert seen.status == 200
        assert len(names) <= MOST_REQUESTS, chr(10).join(names)
        found.append(seen)
        assert len(found) <= 10
        # The next page's form, behind the one that looks for others.
        _, onwards, form = seen.text.partition('id="found"')[2].rpartition(ONWARDS)
        if not onwards:
            return found
        more |= dict(re.findall(r'name="(cursor|looked)" value="([^"]+)"', form))


@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_whoever_is_found_is_on_one_of_the_pages(stack: Stack, asked: dict[str, str]) -> None:
    desk = Desk(stack).sign_in()
    desk.get("/console/customers")
    stack.api("GET", "/v1/loyalty")
    found = pages(desk, asked)
    names = [name for seen in found for name in re.findall(r">(\w+) A</a>", seen.text)]
    assert sorted(names) == ["Rare1", "Rare4", "Rare9"]


def test_a_page_that_found_few_says_how_many_it_has_looked_at_and_goes_on_by_itself_where_it_found_nobody(
    stack: Stack,
) -> None:
    looked = [seen for seen in pages(Desk(stack).sign_in(), {"segment": "consent"}) if "looked at so far" in seen.text]
    assert "2 customers looked at so far" in looked[0].text
    assert "2 customers looked at so far" not in looked[-1].text
    for seen in looked:
        is_empty = "Nobody was found so far" in seen.text
        assert ('hx-trigger="load, submit"' in seen.text) is is_empty


@pytest.mark.parametrize("name", SEGMENTS)
def test_the_builder_of_a_segment_looks_at_few(stack: Stack, name: str) -> None:
    desk = Desk(stack).sign_in()
    stack.api("GET", "/v1/loyalty")
    desk.get(f"/console/segments/{name}")
    with counted() as names:
        assert desk.get(f"/console/segments/{name}").status == 200
    assert len(names) <= MOST_REQUESTS, chr(10).join(names)
