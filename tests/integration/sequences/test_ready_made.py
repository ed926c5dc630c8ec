"""Ready-made sequences over HTTP: listed, and put as they are."""

import pytest

from tests.integration.conftest import Stack

PATH = "/v1/ready-made-sequences"


def test_each_that_is_listed_may_be_put_and_is_off(stack: Stack) -> None:
    answer = stack.api("GET", PATH)
    assert answer.status == 200
    items = answer.body["items"]
    assert answer.body["next_cursor"] is None
    assert [each["ready_made_id"] for each in items] == [
        *("last_credit", "missed_call", "membership_expiring", "renewal_failed", "waiver_changed"),
        *("first_visit", "lost_customer"),
    ]
    assert stack.api("GET", "/v1/sequences").body["items"] == []

    for each in items:
        put = stack.api("PUT", f"/v1/sequences/{each['ready_made_id']}", each["sequence"])
        assert put.status == 200, (each["ready_made_id"], put.body["errors"])
        assert (put.status, put.body["status"], put.body["version"]) == (200, "off", 1)
        assert {name: put.body[name] for name in each["sequence"]} == each["sequence"]


@pytest.mark.parametrize("language", ["de", "it"])
def test_they_are_in_the_language_of_the_business(stack: Stack, language: str) -> None:
    english = stack.api("GET", PATH).body["items"]
    changed = stack.api("PATCH", "/v1/business", {"text_answers": {"language": language}})
    assert changed.status == 200
    translated = stack.api("GET", PATH).body["items"]

    assert [each["ready_made_id"] for each in translated] == [each["ready_made_id"] for each in english]
    assert not {each["sequence"]["name"] for each in translated} & {each["sequence"]["name"] for each in english}
    assert not {each["description"] for each in translated} & {each["description"] for each in english}


def test_a_key_needs_the_scope_of_campaigns(stack: Stack) -> None:
    assert stack.api("GET", PATH, scopes="customers:read").status == 403


def test_who_enters_a_filter_needs_one(stack: Stack) -> None:
    wanted = {"name": "Entered", "trigger": {"kind": "segment_entered"}, "steps": []}
    refused = stack.api("PUT", "/v1/sequences/entered", wanted)

    assert refused.status == 422
    assert [each["field"] for each in refused.body["errors"]] == ["trigger.segment_id"]
    given = {**wanted, "filter": {"tag": "vip"}}
    assert stack.api("PUT", "/v1/sequences/entered", given).status == 200
