"""A campaign's results by time: counted from the stream's images, kept in few bytes, shown in the API."""

from collections.abc import Sequence
from typing import Any

from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.kernel.provider_codes import Provider
from rebound.messages.adapters import dynamo_messages
from rebound.messages.domain.labels import in_span
from rebound.messages.domain.messages import MessageStatus
from rebound.messages.domain.spans import LAST
from tests.benchmarks.capacity import WRITE_BYTES, item_size
from tests.contract.messages.fakes import labels_of_message
from tests.fakes import house
from tests.fakes.making import CAMPAIGN_ID, NO_SUCH_MAILBOX, RUN_ID, at, campaign, message
from tests.integration.conftest import Stack

SHARD = "shardId-00000001732968000000-1a2b3c4d"
POSITION = "4".zfill(21)
BOUNCED = {"provider": Provider.SES, "provider_code": NO_SUCH_MAILBOX}
MESSAGES = [
    message(1, MessageStatus.QUEUED),
    message(2, MessageStatus.SENT, sent_at=at(0)),
    message(3, MessageStatus.DELIVERED, sent_at=at(0), delivered_at=at(301)),
    message(4, MessageStatus.DELIVERED, sent_at=at(1)),
    message(5, MessageStatus.BOUNCED, sent_at=at(1), failed_at=at(7_300), **BOUNCED),
    message(6, MessageStatus.FAILED, failed_at=at(100_000), provider=Provider.SES, provider_code="Reject"),
    message(7, MessageStatus.UNCERTAIN, queued_at=None),
    message(8, MessageStatus.CANCELLED),
    message(9, MessageStatus.EXCLUDED, reason="opted_out"),
    message(10, MessageStatus.CANCELLED, variant="A", opted_out_at=at(5)),
    message(11, MessageStatus.EXCLUDED, reason="opted_out", variant="B ~@"),
]


def records(stack: Stack) -> list[dict[str, Any]]:
    """The messages as the table's change stream has them when they are new."""
    house.ports().messages.record_new(MESSAGES)
    images = {row["recipient_id"]["S"]: row for row in stack.table("MESSAGES_TABLE")}
    return [
        {"dynamodb": {"NewImage": images[each.key.recipient_id], "SequenceNumber": str(number)}}
        for number, each in enumerate(MESSAGES)
    ]


def test_a_row_of_the_stream_counts_as_its_message_does(stack: Stack) -> None:
    told = [dynamo_messages.status_change_of(each) for each in records(stack)]
    assert [each and each.after for each in told] == [labels_of_message(each) for each in MESSAGES]


def test_the_api_shows_when_results_came_in_and_they_add_up(stack: Stack) -> None:
    house.ports().campaigns.add(campaign(status=CampaignStatus.COMPLETED, run_id=RUN_ID))
    shown = stack.api("GET", f"/v1/campaigns/{CAMPAIGN_ID}").body
    assert shown["results_over_time"] == []
    stack.invoke("count_results", {"shardId": SHARD, "Records": records(stack)})
    shown = stack.api("GET", f"/v1/campaigns/{CAMPAIGN_ID}").body
    spans, statuses = shown["results_over_time"], ("sent", "delivered", "bounced", "failed", "uncertain")
    assert {status: sum(span[status] for span in spans) for status in statuses} == {
        status: shown["results"][status] for status in statuses
    }
    nothing, first = dict.fromkeys(statuses, 0), {"sent": 1, "delivered": 1}
    assert spans == [
        {"since": "2026-11-20T10:00:00.000Z", "until": "2026-11-20T10:05:00.000Z", **nothing, "uncertain": 1},
        {"since": "2026-11-20T12:00:00.000Z", "until": "2026-11-20T12:05:00.000Z", **nothing, **first},
        {"since": "2026-11-20T12:05:00.000Z", "until": "2026-11-20T12:10:00.000Z", **nothing, "delivered": 1},
        {"since": "2026-11-20T14:00:00.000Z", "until": "2026-11-20T15:00:00.000Z", **nothing, "bounced": 1},
        {"since": "2026-11-21T15:00:00.000Z", "until": "2026-11-21T16:00:00.000Z", **nothing, "failed": 1},
    ]
    # The list of campaigns may be long, and says what came of them without when.
    assert "results_over_time" not in stack.api("GET", "/v1/campaigns").body["items"][0]


def test_what_a_former_version_counted_is_shown_without_times(stack: Stack) -> None:
    house.ports().campaigns.add(campaign(status=CampaignStatus.COMPLETED, run_id=RUN_ID))
    house.ports().tallies.add(CAMPAIGN_ID, SHARD, {"delivered": 3, "delivered@1": 1}, after=None, position=POSITION)
    assert stack.api("GET", f"/v1/campaigns/{CAMPAIGN_ID}").body["results_over_time"] is None


def bytes_of_a_row(stack: Stack, spans: int, each: dict[MessageStatus, int], variants: Sequence[str] = ()) -> int:
    """How large the counts of one shard are, with so many of each status in each of the first spans."""
    labels = {in_span(status, span): count for status, count in each.items() for span in range(spans)}
    labels |= {str(status): spans * count for status, count in each.items()}
    for variant in variants:
        labels |= {f"{status}~{variant}": spans * count // 2 for status, count in each.items()}
        labels |= {f"excluded~{variant}": 40, f"opted_out~{variant}": 120}
    labels |= {"final": 250_000, "fault": 20, "hard_bounce": 4_000, "excluded:opted_out": 12, "excluded:no_address": 1}
    campaign_id = f"{CAMPAIGN_ID[:-1]}{len(variants)}"
    house.ports().tallies.add(campaign_id, SHARD, labels, after=None, position=POSITION)
    [row] = [each for each in stack.table("CHUNKS_TABLE") if each["campaign_id"]["S"] == campaign_id]
    return item_size(row)


def test_what_is_sent_to_a_million_within_twenty_hours_is_written_in_one_unit(stack: Stack) -> None:
    # At SES's first rate, 14 a second; by each of four shards.
    shares = {MessageStatus.DELIVERED: 4_000, MessageStatus.BOUNCED: 90, MessageStatus.FAILED: 9}
    assert 500 < bytes_of_a_row(stack, 36 + 17, shares) < WRITE_BYTES
    assert 500 < bytes_of_a_row(stack, 36 + 17, shares, ("A", "B")) < WRITE_BYTES


def test_no_row_grows_beyond_three_units_nor_one_with_the_most_variants_beyond_four(stack: Stack) -> None:
    statuses = ("delivered", "bounced", "failed", "sent", "uncertain")
    shares = {MessageStatus(status): 25_000 if status == "delivered" else 999 for status in statuses}
    assert bytes_of_a_row(stack, LAST + 1, shares) < 3 * WRITE_BYTES
    assert bytes_of_a_row(stack, LAST + 1, shares, [name * 30 for name in "ABCDE"]) < 4 * WRITE_BYTES
