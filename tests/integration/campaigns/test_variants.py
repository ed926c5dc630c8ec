"""Variants, a holdout and a goal, from the request to what the API shows."""

from typing import Any, Final

import pytest

from rebound.messages.domain.variants import Split, Variant
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, customer, id_of
from tests.integration.conftest import Stack

PEOPLE: Final = 40
SHORT: Final = {"name": "Short", "share": 33.4, "content": {"subject": "Short", "html": None, "text": "Come."}}
LONG: Final = {"name": "Long", "share": 66.6, "content": {"subject": "Long", "html": None, "text": "Do come."}}
DRAFT: Final = {
    "name": "Offer", "category": "marketing", "channel": "email", "filter": {"all": []}, "status": "draft",
}  # fmt: skip
DIVIDED: Final = {**DRAFT, "variants": [SHORT, LONG], "holdout": 12.5, "goal": {"kind": "visit", "within_days": 7}}
CONTENT: Final = {"subject": "Hello", "html": None, "text": "Hello"}
TEMPLATE: Final = {
    "name": "News", "channel": "email", "category": "marketing", "contents": {"en": {"subject": "A", "text": "News"}},
}  # fmt: skip


@pytest.fixture(autouse=True)
def people(stack: Stack) -> None:
    assert stack.settings
    house.ports().customers.save([customer(number) for number in range(1, PEOPLE + 1)], [])


def said(campaign: dict[str, Any]) -> list[tuple[str, float, Any]]:
    return [(each["name"], each["share"], each["content"]) for each in campaign["variants"] or ()]


WRONG: Final[list[tuple[dict[str, Any], dict[str, str]]]] = [
    ({"variants": [SHORT]}, {"variants": "at least 2"}),
    ({"variants": [{**LONG, "name": str(n), "share": 20} for n in range(6)]}, {"variants": "at most 5"}),
    ({"variants": [SHORT, {**LONG, "share": 66.5}]}, {"variants": "they are 99.9"}),
    ({"variants": [SHORT, {**LONG, "name": " Short "}]}, {"variants[1].name": "another variant"}),
    ({"variants": [{**SHORT, "share": 33.395}, LONG]}, {"variants[0].share": "two decimals"}),
    (
        {"variants": [{**SHORT, "share": 0}, {**LONG, "share": 100}]},
        {"variants[0].share": "0", "variants[1].share": "100"},
    ),
    ({"variants": [{**SHORT, "name": "x" * 31}, LONG]}, {"variants[0].name": "30"}),
    ({"variants": [{**SHORT, "content": {"subject": "S"}}, LONG]}, {"variants[0].content": "html"}),
    ({"variants": [{**SHORT, "content": None}, LONG]}, {"variants[0].content": "Is required"}),
    ({"variants": [{**SHORT, "content": {**CONTENT, "text": "##{{nme}}"}}, LONG]}, {"variants[0].content.text": "nme"}),
    ({"variants": [{"name": "S", "share": 33.4, "template_id": "none"}, LONG]}, {"variants[0].template_id": "no such"}),
    ({"content": CONTENT}, {"content": "variants"}),
    ({"template_id": "news"}, {"template_id": "variants"}),
    ({"holdout": 50.01}, {"holdout": "50"}),
    ({"holdout": -1}, {"holdout": "0"}),
    ({"goal": {"kind": "visit", "within_days": 91}}, {"goal.within_days": "90"}),
    ({"goal": {"kind": "smile", "within_days": 9}}, {"goal.kind": "visit"}),
    ({"goal": {"kind": "redemption", "within_days": 9}}, {"goal.kind": "voucher"}),
    ({"contents": {"top": CONTENT}, "category": "loyalty"}, {"variants": "tier"}),
    ({"contents": {"top": CONTENT}, "category": "loyalty", "variants": None}, {"holdout": "tier"}),
]


@pytest.mark.parametrize(("given", "wrong"), WRONG)
def test_what_cannot_be_is_refused_by_its_field(stack: Stack, given: dict[str, Any], wrong: dict[str, str]) -> None:
    answer = stack.api("POST", "/v1/campaigns", {**DIVIDED, **given})

    assert answer.status == 422, answer.text
    assert set(answer.fields) == wrong.keys()
    told = {each["field"]: each["message"] for each in answer.body["errors"]}
    assert all(part.lower() in told[field].lower() for field, part in wrong.items()), told
    assert stack.api("GET", "/v1/campaigns").body["items"] == []


def test_recurring_campaigns_have_no_variants(stack: Stack) -> None:
    given = {
        "name": "Birthdays", "category": "marketing", "channel": "email", "at": "09:00", "status": "off",
        "audience": {"birthday": {}}, "variants": [SHORT, LONG],
    }  # fmt: skip
    answer = stack.api("POST", "/v1/recurring-campaigns", given)

    assert (answer.status, "variants" in answer.fields) == (422, True)


def test_a_draft_has_what_was_given_and_can_be_changed_and_copied(stack: Stack) -> None:
    draft = stack.api("POST", "/v1/campaigns", DIVIDED).body
    path = f"/v1/campaigns/{draft['campaign_id']}"
    shown = stack.api("GET", path).body

    assert said(shown) == said(draft) == [(v["name"], v["share"], v["content"]) for v in (SHORT, LONG)]
    assert (shown["content"], shown["holdout"], shown["goal"]) == (None, 12.5, {"kind": "visit", "within_days": 7})
    copy = stack.api("POST", f"{path}/copy", {"holdout": 20}).body
    assert (said(copy), copy["holdout"], copy["goal"]) == (said(draft), 20, shown["goal"])
    evened = [{**SHORT, "share": 50}, {**LONG, "share": 50}]
    changed = stack.api("PATCH", path, {"variants": evened, "goal": None}).body
    assert [each["share"] for each in changed["variants"]] == [50, 50]
    assert (changed["holdout"], changed["goal"]) == (12.5, None)
    first = stack.api("PATCH", path, {"variants": None}).body
    assert (first["variants"], first["content"], first["holdout"]) == (None, SHORT["content"], 12.5)
    again = stack.api("PATCH", path, {"variants": evened}).body
    alike = stack.api("PATCH", path, {"content": CONTENT, "holdout": 0}).body
    assert (again["content"], alike["variants"], alike["content"], alike["holdout"]) == (None, None, CONTENT, 0)
    tiers = stack.api("PATCH", path, {"category": "loyalty", "contents": {"top": CONTENT}}).body
    assert (tiers["variants"], tiers["contents"]) == (None, {"top": CONTENT})
    assert stack.api("PATCH", path, {"holdout": 5}).fields == ["holdout"]
    assert stack.api("PATCH", path, {"variants": [SHORT, LONG], "contents": {"top": CONTENT}}).fields == ["variants"]


def test_a_variant_from_a_template_takes_what_is_published_when_it_is_announced(stack: Stack) -> None:
    stack.api("PUT", "/v1/templates/news", TEMPLATE)
    made = {"name": "Made", "share": 50, "template_id": "news"}
    draft = stack.api("POST", "/v1/campaigns", {**DIVIDED, "variants": [made, {**LONG, "share": 50}]}).body
    stack.api("PUT", "/v1/templates/news", {**TEMPLATE, "contents": {"en": {"subject": "B", "text": "News"}}})
    path = f"/v1/campaigns/{draft['campaign_id']}"
    stack.api("POST", f"{path}/announce")
    shown = stack.api("GET", path).body

    assert [each["template_version"] for each in draft["variants"]] == [None, None]
    assert [each["template_version"] for each in shown["variants"]] == [2, None]


def test_a_preview_knows_who_is_held_out_and_who_gets_what(stack: Stack) -> None:
    draft = stack.api("POST", "/v1/campaigns", DIVIDED).body
    split = Split(draft["campaign_id"], (Variant("Short", 3_340), Variant("Long", 6_660)), 1_250)
    people = [id_of(number) for number in range(1, PEOPLE + 1)]
    held_out = [each for each in people if split.holds_out(each)]
    asked = {"filter": {"all": []}, "channel": "email", "category": "marketing", "campaign_id": draft["campaign_id"]}
    asked |= {"holdout": 12.5, "variants": [{"name": v["name"], "share": v["share"]} for v in (SHORT, LONG)]}
    counted = stack.api("POST", "/v1/segments/preview", asked).body
    listed = stack.api("POST", "/v1/segments/preview/recipients", asked, query={"reason": "holdout"}).body["items"]
    foreseen = draft["foreseen"]

    assert counted == foreseen
    assert foreseen["excluded"] == {"holdout": len(held_out)}
    assert foreseen["variants"] == dict(split.counts(people))
    assert [each["customer_id"] for each in listed] == sorted(held_out)
    without = stack.api("POST", "/v1/segments/preview", {**asked, "holdout": 0, "variants": None}).body
    assert (without["targeted"], "variants" in without) == (PEOPLE, False)
    wrong = stack.api("POST", "/v1/segments/preview", {**asked, "content": CONTENT})
    assert wrong.fields == ["content"]


def test_a_test_is_sent_of_the_variant_that_is_named(stack: Stack) -> None:
    path = f"/v1/campaigns/{stack.api('POST', '/v1/campaigns', DIVIDED).body['campaign_id']}"
    unknown = stack.api("POST", f"{path}/test", {"to": "owner@example.com", "variant": "Middle"})
    tier = stack.api("POST", f"{path}/test", {"to": "owner@example.com", "tier": "top"})

    assert (unknown.status, unknown.fields) == (422, ["variant"])
    assert (tier.status, tier.fields) == (422, ["tier"])
    assert BUSINESS_ID
