"""The breaker over real adapters: counted from the stream's images, written on the campaign, told on the bus."""

import json
from collections.abc import Sequence
from copy import replace
from typing import Any

import pytest

from rebound.campaigns.adapters import dynamo_campaigns
from rebound.campaigns.domain.campaigns import CampaignStatus, FinalWords, final_words
from rebound.kernel.provider_codes import Provider
from rebound.messages.adapters import dynamo_messages
from rebound.messages.domain.labels import labels_of
from rebound.messages.domain.messages import Message, MessageStatus
from tests.contract.events.test_domain_events import Bus, problems
from tests.fakes import house
from tests.fakes.aws import rows
from tests.fakes.making import BUSINESS_ID, CAMPAIGN_ID, RUN_ID, at, campaign, message
from tests.integration.conftest import Stack

PEOPLE = 1100
BAD = 60


def images(stack: Stack, messages: Sequence[Message]) -> dict[str, Any]:
    """The images of messages in the table's change stream, by who gets them."""
    house.ports().messages.record_new(messages)
    return {row["recipient_id"]["S"]: row for row in stack.table("MESSAGES_TABLE")}


def count(stack: Stack, before: dict[str, Any], after: dict[str, Any], first: int) -> None:
    records = [
        {"dynamodb": {"OldImage": before[key], "NewImage": image, "SequenceNumber": str(first + number)}}
        for number, (key, image) in enumerate(sorted(after.items()))
    ]
    for start in range(0, len(records), 100):
        stack.invoke("count_results", {"shardId": "shard-1", "Records": records[start : start + 100]})


def campaign_record(stack: Stack, before: Any, position: int) -> dict[str, Any]:
    [image] = rows()[stack.settings["CAMPAIGNS_TABLE"]]
    change = {
        "NewImage": image,
        "SequenceNumber": str(position),
        "ApproximateCreationDateTime": at(0).timestamp(),
        **({"OldImage": before} if before else {}),
    }
    return {"eventID": f"change-{position}", "dynamodb": change}


def test_hard_bounces_above_the_review_level_warn_and_then_pause(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bus = Bus()
    monkeypatch.setattr(house.ports().aws("events"), "put_events", bus.put_events)
    house.ports().campaigns.add(campaign(status=CampaignStatus.SENDING, run_id=RUN_ID))
    running = campaign_record(stack, None, 1)
    sent = [message(number) for number in range(PEOPLE)]
    before = images(stack, sent)
    settled = [
        replace(
            one,
            status=MessageStatus.BOUNCED if number < BAD else MessageStatus.DELIVERED,
            provider=Provider.SES,
            provider_code="Permanent/NoEmail" if number < BAD else None,
        )
        for number, one in enumerate(sent)
    ]
    count(stack, before, images(stack, settled), 10)
    stopped = house.ports().campaigns.get(BUSINESS_ID, CAMPAIGN_ID)
    told = campaign_record(stack, running["dynamodb"]["NewImage"], 2)

    assert stopped.status is CampaignStatus.PAUSED
    assert stopped.bounce_warning is not None
    assert stopped.bounce_warning.total < 1000
    shown = stack.api("GET", f"/v1/campaigns/{CAMPAIGN_ID}").body
    assert (shown["status"], shown["reason"]) == ("paused", stopped.paused_because)
    assert "bounced for good" in shown["reason"]
    assert shown["results"]["bounced"] + shown["results"]["delivered"] == PEOPLE
    assert "final" not in json.dumps(shown)

    assert stack.invoke("project_campaigns", {"Records": [told]}) == {"batchItemFailures": []}
    assert [entry["DetailType"] for entry in bus.entries] == ["BounceRateWarned", "CampaignPaused"]
    for entry in bus.entries:
        assert problems(entry["DetailType"], json.loads(entry["Detail"])) == []
    assert json.loads(bus.entries[0]["Detail"])["hard_bounces"] == stopped.bounce_warning.hard_bounces
    [metric] = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "CampaignsPausedByBreaker" in line]
    assert metric["CampaignsPausedByBreaker"] == [1.0]


def test_a_resume_begins_a_window_that_messages_and_counts_know(stack: Stack) -> None:
    house.ports().campaigns.add(
        campaign(status=CampaignStatus.PAUSED, run_id=RUN_ID, paused_because="Too much failed.")
    )
    resumed = stack.api("POST", f"/v1/campaigns/{CAMPAIGN_ID}/resume").body
    assert (resumed["status"], resumed["reason"]) == ("sending", None)
    kept = house.ports().campaigns.get(BUSINESS_ID, CAMPAIGN_ID)
    assert (kept.window, kept.paused_because) == (1, None)

    old, new = message(1), message(2, window=1)
    before = images(stack, [old, new])
    failed = [
        replace(one, status=MessageStatus.FAILED, provider=Provider.TWILIO, provider_code="30034") for one in (old, new)
    ]
    count(stack, before, images(stack, failed), 1)
    counts = house.ports().tallies.counts(CAMPAIGN_ID)
    assert final_words(counts, 0) == final_words(counts, 1) == FinalWords(total=1, faults=1)


def test_from_the_first_campaign_that_cannot_be_told_on_all_come_again(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.ports().campaigns.add(campaign(status=CampaignStatus.PAUSED))
    records = [campaign_record(stack, None, position) for position in (1, 2)]
    removal = {"eventID": "change-0", "dynamodb": {"OldImage": {}, "SequenceNumber": "0"}}

    def lost(*_: object) -> None:
        raise RuntimeError

    assert dynamo_campaigns.campaign_change_of(removal) is None
    monkeypatch.setattr(house.ports().domain_events, "publish", lost)
    assert stack.invoke("project_campaigns", {"Records": [removal, *records]}) == {
        "batchItemFailures": [{"itemIdentifier": "1"}]
    }


def test_a_change_of_a_campaign_has_what_it_was_and_what_it_is(stack: Stack) -> None:
    house.ports().campaigns.add(campaign(status=CampaignStatus.SENDING))
    [before] = rows()[stack.settings["CAMPAIGNS_TABLE"]]
    sending = house.ports().campaigns.get(BUSINESS_ID, CAMPAIGN_ID)
    house.ports().campaigns.replace(sending, replace(sending, status=CampaignStatus.PAUSED))
    change = dynamo_campaigns.campaign_change_of(campaign_record(stack, before, 1))
    first = dynamo_campaigns.campaign_change_of(campaign_record(stack, None, 1))

    assert change is not None
    assert change.before is not None
    assert (change.before.status, change.after.status) == (CampaignStatus.SENDING, CampaignStatus.PAUSED)
    assert first is not None
    assert first.before is None


def test_a_change_of_a_message_has_why_it_was_left_out_and_one_of_no_campaign_is_none(stack: Stack) -> None:
    queued = message(1, MessageStatus.QUEUED)
    [before] = images(stack, [queued]).values()
    [after] = images(stack, [replace(queued, status=MessageStatus.EXCLUDED, reason="opted_out")]).values()
    change = {"OldImage": before, "NewImage": after, "SequenceNumber": "7"}
    told = dynamo_messages.status_change_of({"dynamodb": change})
    alone = {name: value for name, value in after.items() if name != "campaign_id"}

    assert told is not None
    assert (told.position, told.business_id, told.campaign_id) == ("7", BUSINESS_ID, CAMPAIGN_ID)
    assert told.after == labels_of(MessageStatus.EXCLUDED, reason="opted_out", provider=None, code=None, window=None)
    assert told.before == labels_of(MessageStatus.QUEUED, reason=None, provider=None, code=None, window=None)
    assert dynamo_messages.status_change_of({"dynamodb": {**change, "NewImage": alone}}) is None
    assert dynamo_messages.status_change_of({"dynamodb": {"OldImage": before, "SequenceNumber": "8"}}) is None
