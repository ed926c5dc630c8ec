"""Campaigns around the size that a row holds: kept as they are or refused by their field, never an error of ours."""

import json
import re
from typing import Any, Final

import pytest

from rebound.campaigns.domain.sizes import MOST_BYTES
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID
from tests.integration.conftest import Stack

PATH: Final = "/v1/campaigns"
DRAFT: Final[dict[str, Any]] = {
    "name": "Offer", "category": "marketing", "channel": "email", "filter": {"all": []}, "status": "draft",
}  # fmt: skip


def saying(size: int, letter: str = "x") -> dict[str, Any]:
    return {"subject": "Hello", "html": "<p>" + letter * (size // len(letter.encode())) + "</p>", "text": None}


def divided(sizes: list[int], letter: str = "x") -> dict[str, Any]:
    share = 100 // len(sizes)
    shares = [share] * (len(sizes) - 1) + [100 - share * (len(sizes) - 1)]
    variants = [
        {"name": f"V{number}", "share": share, "content": {**saying(size, letter), "subject": f"Hello {number}"}}
        for number, (size, share) in enumerate(zip(sizes, shares, strict=True))
    ]
    return {**DRAFT, "variants": variants}


def ask(stack: Stack, method: str, path: str, body: dict[str, Any]) -> Any:
    """A request whose letters are not escaped."""
    return stack.api(method, path, raw=json.dumps(body, ensure_ascii=False))


def named(answer: Any) -> int:
    """The bytes that a refusal names."""
    [error] = answer.body["errors"]
    [size, most] = map(int, re.findall(r"\d+", error["message"]))
    assert most == MOST_BYTES
    return size


@pytest.mark.parametrize("letter", ["x", "ü", "漢"])
def test_five_variants_are_kept_up_to_the_limit_and_refused_beyond_it(stack: Stack, letter: str) -> None:
    most = (MOST_BYTES - 1_000) // 5
    kept = ask(stack, "POST", PATH, divided([most] * 5, letter))
    assert kept.status == 202, kept.text
    assert stack.api("GET", f"{PATH}/{kept.body['campaign_id']}").body["variants"] == kept.body["variants"]
    [campaign] = house.ports().campaigns.page(BUSINESS_ID, 5, None).items
    assert campaign.split is not None
    assert campaign.split.variants[0].content == campaign.content

    larger = divided([most + 1_000] * 5, letter)
    refused = ask(stack, "POST", PATH, larger)
    assert (refused.status, refused.fields) == (422, ["variants"]), refused.text
    assert named(refused) > MOST_BYTES
    edited = ask(stack, "PATCH", f"{PATH}/{kept.body['campaign_id']}", {"variants": larger["variants"]})
    assert edited.status == 422, edited.text
    assert len(stack.api("GET", PATH).body["items"]) == 1


@pytest.mark.parametrize("over", [-40, -1, 0, 1, 40])
def test_the_limit_is_that_to_the_byte(stack: Stack, over: int) -> None:
    largest = divided([80_000] * 5)
    size = named(ask(stack, "POST", PATH, largest))
    fitting = divided([80_000] * 4 + [80_000 - (size - MOST_BYTES) + over])
    answer = ask(stack, "POST", PATH, fitting)

    assert answer.status == (422 if over > 0 else 202), answer.text
    if over > 0:
        assert named(answer) == MOST_BYTES + over


def test_whom_a_campaign_names_counts_as_well(stack: Stack) -> None:
    people = [f"{number:04d}{'漢' * 120}" for number in range(1_000)]
    asked = {**DRAFT, "content": saying(1_000), "include_external_ids": people}
    answer = ask(stack, "POST", PATH, asked)

    assert (answer.status, answer.fields) == (422, ["include_external_ids"]), answer.text
