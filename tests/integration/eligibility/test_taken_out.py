"""Customers who are taken out of a campaign by hand, through the API: foreseen, counted, named, kept."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.fakes import house
from tests.fakes.making import contacts_of, customer, id_of
from tests.integration.conftest import Stack

EVERYBODY: Final[Mapping[str, Any]] = {"all": []}
PREVIEW: Final = {"filter": EVERYBODY, "channel": "email", "category": "marketing"}
DRAFT: Final = {
    **PREVIEW,
    "name": "Autumn",
    "status": "draft",
    "content": {"subject": "Hi", "text": "Hello"},
}


@pytest.fixture(autouse=True)
def _people(stack: Stack) -> None:
    for number in (1, 2, 3):
        who = customer(number, external_id=f"crm-{number}")
        house.ports().customers.save([who], contacts_of(who))


def test_who_is_taken_out_is_foreseen_by_number_and_by_name_and_it_adds_up(stack: Stack) -> None:
    asked = {**PREVIEW, "exclude_customer_ids": [id_of(1)]}
    counted = stack.api("POST", "/v1/segments/preview", asked)
    pages = [stack.api("POST", "/v1/segments/preview/recipients", asked, query={"limit": "2"})]
    pages.append(
        stack.api(
            "POST", "/v1/segments/preview/recipients", asked,
            query={"limit": "2", "cursor": pages[0].body["next_cursor"]},
        )
    )  # fmt: skip
    only = stack.api("POST", "/v1/segments/preview/recipients", asked, query={"reason": "taken_out"})

    assert counted.status == 200, counted.text
    assert (counted.body["matched"], counted.body["excluded"], counted.body["targeted"]) == (3, {"taken_out": 1}, 2)
    assert [len(page.body["items"]) for page in pages] == [2, 1]
    named = {each["customer_id"]: each for page in pages for each in page.body["items"]}
    assert pages[1].body["next_cursor"] is None
    assert {id_: (each["decision"], each["reason"]) for id_, each in named.items()} == {
        id_of(1): ("excluded", "taken_out"), id_of(2): ("send", None), id_of(3): ("send", None),
    }  # fmt: skip
    assert all(each["name"] for each in named.values())
    assert [each["customer_id"] for each in only.body["items"]] == [id_of(1)]


def test_both_lists_of_a_campaign_are_kept_edited_each_by_itself_and_copied(stack: Stack) -> None:
    lists = {"exclude_customer_ids": [id_of(2)], "exclude_external_ids": ["crm-9"]}
    posted = stack.api("POST", "/v1/campaigns", {**DRAFT, **lists})
    campaign = f"/v1/campaigns/{posted.body['campaign_id']}"

    assert {name: posted.body[name] for name in lists} == lists
    assert posted.body["foreseen"]["excluded"] == {"taken_out": 1}
    changed = stack.api("PATCH", campaign, {"exclude_external_ids": []}).body
    assert (changed["exclude_customer_ids"], changed["exclude_external_ids"]) == ([id_of(2)], [])
    copied = stack.api("POST", f"{campaign}/copy", {}).body
    assert (copied["exclude_customer_ids"], copied["exclude_external_ids"]) == ([id_of(2)], [])
    emptied = stack.api("PATCH", campaign, {"exclude_customer_ids": []}).body
    assert (emptied["exclude_customer_ids"], emptied["foreseen"]["excluded"]) == ([], {})


@pytest.mark.parametrize(
    "lists",
    [
        {"include_customer_ids": [id_of(1)], "exclude_customer_ids": [id_of(1), id_of(2)]},
        {"include_external_ids": ["crm-1"], "exclude_external_ids": ["crm-1"]},
    ],
)
def test_one_customer_in_both_lists_is_refused_and_nothing_is_written(stack: Stack, lists: Mapping[str, Any]) -> None:
    added = {name: ids for name, ids in lists.items() if name.startswith("include")}
    taken_out = {name: ids for name, ids in lists.items() if name.startswith("exclude")}
    draft = stack.api("POST", "/v1/campaigns", {**DRAFT, **added}).body
    campaign = f"/v1/campaigns/{draft['campaign_id']}"
    refused = [
        stack.api("POST", "/v1/segments/preview", {**PREVIEW, **lists}),
        stack.api("POST", "/v1/segments/preview/recipients", {**PREVIEW, **lists}),
        stack.api("POST", "/v1/campaigns", {**DRAFT, **lists}),
        stack.api("PATCH", campaign, taken_out),
        stack.api("POST", f"{campaign}/copy", taken_out),
    ]

    assert [answer.status for answer in refused] == [422] * 5
    assert all(answer.fields == ["exclude_customer_ids"] for answer in refused)
    assert len(stack.api("GET", "/v1/campaigns").body["items"]) == 1
    assert stack.api("GET", campaign).body["exclude_customer_ids"] == []
