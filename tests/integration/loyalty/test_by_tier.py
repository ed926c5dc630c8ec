"""Campaigns by tier through the API and the functions of the state machine."""

from datetime import date
from typing import Any

import pytest

from tests.fakes import house
from tests.fakes.making import BUSINESS_ID
from tests.integration.conftest import Stack
from tests.integration.loyalty.test_tiers import salon

CONTENTS: dict[str, Any] = {
    "new": {"subject": "Welcome", "text": "Come again, ##{{first_name}}."},
    "top": {"subject": "Thanks", "text": "A gift for you."},
}
CAMPAIGN: dict[str, Any] = {
    "name": "Spring",
    "category": "loyalty",
    "channel": "email",
    "filter": {"all": []},
    "contents": CONTENTS,
}


def with_emails(stack: Stack) -> None:
    for name, customer_id in salon(stack).items():
        answer = stack.api("PATCH", f"/v1/customers/{customer_id}", {"email": f"{name.lower()}@example.com"})
        assert answer.status == 200


def run(stack: Stack, campaign_id: str) -> None:
    event = {"business_id": BUSINESS_ID, "campaign_id": campaign_id}
    for index in stack.invoke("plan_campaign", event)["ranges"]:
        stack.invoke("expand_campaign", {**event, "range": index})
    stack.invoke("drain_campaign", {**event, "polls": 0})


def test_a_campaign_says_something_else_to_each_tier(stack: Stack) -> None:
    with_emails(stack)
    posted = stack.api("POST", "/v1/campaigns", CAMPAIGN)
    assert posted.status == 202, posted.text
    assert (posted.body["contents"].keys(), posted.body["content"]) == (CONTENTS.keys(), None)
    assert posted.body["foreseen"]["matched"] == 6
    assert posted.body["foreseen"]["excluded"] == {"no_tier_content": 4}
    campaign_id = posted.body["campaign_id"]
    # As if it were planned on another day.
    house.ports().rankings.note_use(BUSINESS_ID, date(2020, 1, 1))
    run(stack, campaign_id)

    parent = stack.api("GET", f"/v1/campaigns/{campaign_id}").body
    assert parent["filter"] == {"all": []}
    assert (parent["audience"]["matched"], parent["audience"]["excluded"]) == (6, {"no_tier_content": 4})
    children = {each["tier"]: each for each in parent["children"]}
    assert {tier: child["audience"]["targeted"] for tier, child in children.items()} == {"new": 1, "top": 1}
    ids = [campaign_id, *(child["campaign_id"] for child in children.values())]
    for number, id_ in enumerate(ids):
        counts = {"sent": number + 1, "sent@0": 1, **({f"sent@{number}": number} if number else {})}
        house.ports().tallies.add(id_, "shard", counts, after=None, position="1")
    over_time = stack.api("GET", f"/v1/campaigns/{campaign_id}").body["results_over_time"]
    assert [span["sent"] for span in over_time] == [3, 1, 2]
    child = stack.api("GET", f"/v1/campaigns/{children['top']['campaign_id']}").body
    assert (child["parent_id"], child["tier"], child["content"]["subject"]) == (campaign_id, "top", "Thanks")
    left_out = stack.api("GET", f"/v1/campaigns/{campaign_id}/excluded").body["items"]
    assert {each["reason"] for each in left_out} == {"no_tier_content"}
    assert stack.api("POST", f"/v1/campaigns/{campaign_id}/pause").body["status"] == "paused"
    assert stack.api("GET", f"/v1/campaigns/{children['top']['campaign_id']}").body["status"] == "paused"


def test_a_draft_is_edited_copied_and_tried(stack: Stack) -> None:
    with_emails(stack)
    draft = stack.api("POST", "/v1/campaigns", {**CAMPAIGN, "status": "draft"}).body
    path = f"/v1/campaigns/{draft['campaign_id']}"
    other = stack.api("PATCH", path, {"contents": {"inactive": CONTENTS["new"]}})
    assert (other.status, list(other.body["contents"])) == (200, ["inactive"])
    assert other.body["foreseen"]["excluded"] == {"no_tier_content": 5}
    copy = stack.api("POST", f"{path}/copy")
    assert (copy.status, list(copy.body["contents"])) == (201, ["inactive"])
    plain = stack.api("PATCH", path, {"content": CONTENTS["top"]})
    assert (plain.body["contents"], plain.body["content"]["subject"]) == (None, "Thanks")
    assert stack.api("POST", f"{path}/announce").status == 202


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"contents": {"gold": CONTENTS["new"]}}, ["contents.gold"]),
        ({"contents": {}}, ["contents"]),
        ({"contents": {"new": {"subject": "No body"}}}, ["contents.new"]),
        ({"contents": {"new": {"subject": "##{{frist_name}}", "text": "x"}}}, ["contents.new.subject"]),
        ({"content": CONTENTS["new"]}, ["content"]),
        ({"template_id": "some"}, ["template_id"]),
        ({"category": "marketing"}, ["contents"]),
        ({"filter": None, "customer_ids": ["0" * 32]}, ["contents"]),
        ({"contents": {"new": {"subject": "x", "text": "x" * 99_000, "html": "y" * 99_000}}}, ["contents"]),
    ],
)
def test_what_cannot_be_by_tier_is_refused_with_its_field(
    stack: Stack, given: dict[str, Any], fields: list[str]
) -> None:
    asked = {name: value for name, value in {**CAMPAIGN, **given}.items() if value is not None}
    answer = stack.api("POST", "/v1/campaigns", asked)

    assert (answer.status, answer.fields) == (422, fields), answer.text
    assert stack.api("GET", "/v1/campaigns").body["items"] == []
