"""Rolling back flags over real adapters: asked for over HTTP, done by the state machine's function, page by page."""

import json
from typing import Any

import pytest

from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.campaigns.domain.chunks import Chunk, ChunkKey
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import STANDARD_POLICY, Failure
from rebound.kernel.provider_codes import Provider
from rebound.messages.domain.messages import MessageStatus
from tests.fakes import house
from tests.fakes.aws import make
from tests.fakes.making import (
    BUSINESS_ID,
    CAMPAIGN_ID,
    NO_SUCH_MAILBOX,
    RUN_ID,
    at,
    campaign,
    contact_key,
    id_of,
    message,
    message_key,
)
from tests.integration.conftest import Context, Stack

PEOPLE = 42
"""One a chunk, so that the chunks are three pages."""
PATH = f"/v1/campaigns/{CAMPAIGN_ID}/rollback-flags"


@pytest.fixture
def bounced(stack: Stack) -> Stack:
    """A campaign of which everybody's email bounced, one a second."""
    sent = campaign(status=CampaignStatus.COMPLETED, run_id=RUN_ID)
    house.ports().campaigns.add(sent)
    for number in range(PEOPLE):
        key = ChunkKey(BUSINESS_ID, CAMPAIGN_ID, f"chunk#000#{number:07d}")
        house.ports().chunks.add(Chunk(key, (id_of(number),), (), created_at=at(0)))
        message_id = sent.message_id(id_of(number))
        key_of_message = message_key(number, message_id)
        house.ports().messages.record(
            [message(number, MessageStatus.BOUNCED, key=key_of_message, failed_at=at(number))]
        )
        failure = Failure(at(number), message_id, Provider.SES, NO_SUCH_MAILBOX)
        house.ports().contacts.save(
            Contact(contact_key(number), customer_ids=frozenset({id_of(number)})).with_evidence(failure),
        )
    return stack


def flagged() -> list[int]:
    contacts = house.ports().contacts.get_many(contact_key(number) for number in range(PEOPLE))
    return [n for n in range(PEOPLE) if contacts[contact_key(n)].verdict(STANDARD_POLICY).invalid]


def rollback_input(stack: Stack) -> dict[str, Any]:
    """What the state machine was started with last."""
    steps = make("stepfunctions")
    arn = stack.settings["ERRAND_STATE_MACHINE_ARN"]
    inputs = [
        json.loads(steps.describe_execution(executionArn=execution["executionArn"])["input"])
        for execution in steps.list_executions(stateMachineArn=arn)["executions"]
    ]
    shown = house.ports().campaigns.get(BUSINESS_ID, CAMPAIGN_ID).rollback
    assert shown is not None
    [started] = [i for i in inputs if i["roll_back"]["rollback_id"] == shown.rollback_id]
    ids = {"business_id": started["business_id"], "campaign_id": started["campaign_id"]}
    return {**ids, **started["roll_back"]}


def test_the_flags_of_a_whole_campaign_are_rolled_back_page_by_page(bounced: Stack) -> None:
    assert flagged() == list(range(PEOPLE))
    accepted = bounced.api("POST", PATH)
    assert accepted.status == 202
    asked = accepted.body["rolled_back"]
    assert (asked["status"], asked["since"], asked["until"], asked["bounces"]) == ("running", None, None, 0)

    event, answers = rollback_input(bounced), []
    while True:
        # Time for one page each; and each is done twice, as after a death before its answer.
        bounced.invoke("roll_back_flags", event, Context(milliseconds=1000))
        answers.append(bounced.invoke("roll_back_flags", event, Context(milliseconds=1000)))
        if answers[-1]["done"]:
            break
        event = {**event, **{name: answers[-1][name] for name in ("rollback_id", "cursor", "bounces")}}
    assert [answer["bounces"] for answer in answers] == [20, 40, PEOPLE]
    shown = bounced.api("GET", f"/v1/campaigns/{CAMPAIGN_ID}").body
    assert (shown["rolled_back"]["status"], shown["rolled_back"]["bounces"]) == ("completed", PEOPLE)
    assert shown["status"] == "completed"
    assert flagged() == []


def test_a_rollback_of_a_time_takes_back_what_bounced_then(bounced: Stack) -> None:
    body = {"since": "2026-11-20T12:00:05Z", "until": "2026-11-20T13:00:09+01:00"}
    assert bounced.api("POST", PATH, body).body["rolled_back"]["until"] == "2026-11-20T12:00:09.000Z"
    assert bounced.invoke("roll_back_flags", rollback_input(bounced))["bounces"] == 5
    assert flagged() == [n for n in range(PEOPLE) if n not in range(5, 10)]


def test_a_rollback_that_another_has_replaced_ends(bounced: Stack) -> None:
    bounced.api("POST", PATH, {"until": "2026-11-20T12:00:09Z"})
    replaced = rollback_input(bounced)
    bounced.api("POST", PATH, {"since": "2026-11-20T12:00:40Z"})
    assert bounced.invoke("roll_back_flags", replaced)["done"]
    assert flagged() == list(range(PEOPLE))
    bounced.invoke("roll_back_flags", rollback_input(bounced))
    assert flagged() == list(range(40))


@pytest.mark.parametrize(
    "body", [{"since": "0202-11-20T12:00:05Z"}, {"until": "0001-01-02T00:00:00Z"}, {"since": "9998-12-31T23:59:59Z"}]
)
def test_after_a_rollback_of_whatever_year_the_campaign_is_read(bounced: Stack, body: dict[str, str]) -> None:
    """Somebody may name when the trouble began, which is before the campaign, or mistype a year."""
    assert bounced.api("POST", PATH, body).status == 202
    for path in ("", f"/{CAMPAIGN_ID}"):
        assert bounced.api("GET", f"/v1/campaigns{path}").status == 200
    assert bounced.invoke("roll_back_flags", rollback_input(bounced))["done"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"since": "2026-11-20T12:00:05Z", "until": "2026-11-20T12:00:04Z"}, "until"),
        ({"since": "yesterday"}, "since"),
        ({"until": "2026-11-20T12:00:04"}, "until"),
        ({"from": "2026-11-20T12:00:04Z"}, "from"),
    ],
)
def test_a_time_that_cannot_be_is_refused_and_changes_nothing(bounced: Stack, body: object, field: str) -> None:
    refused = bounced.api("POST", PATH, body)
    assert (refused.status, refused.fields) == (422, [field])
    assert bounced.api("GET", f"/v1/campaigns/{CAMPAIGN_ID}").body["rolled_back"] is None


def test_what_has_sent_nothing_or_is_not_there_cannot_be_rolled_back(stack: Stack) -> None:
    assert stack.api("POST", PATH).status == 404
    house.ports().campaigns.add(campaign(status=CampaignStatus.SCHEDULED))
    assert stack.api("POST", PATH).status == 409
    assert stack.api("POST", PATH, business_id="other").status == 404
