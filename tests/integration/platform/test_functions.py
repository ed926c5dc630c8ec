"""Every other function, started by the events that AWS sends, over the template's tables."""

import base64
import json
from collections.abc import Mapping
from copy import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from twilio.request_validator import RequestValidator

from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.campaigns.domain.chunks import ChunkKey
from rebound.contacts.domain.reachability import STANDARD_POLICY, Cleared, ClearedBy
from rebound.imports_exports.domain import RowCounts
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ComeAgainError
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey, Outcome, Receipt
from rebound.messages.domain.messages import MessageStatus
from rebound.platform.telemetry import count
from rebound.rates.domain import Lane, Throttled
from rebound.receipts.adapters.receipts_queue import decode, encode_sns_text_log
from rebound.receipts.wiring import ReceiptsUseCases
from rebound.segments.domain.segments import Segment
from rebound.segments.domain.selections import Selection
from rebound.sending.adapters.callback_address import status_url
from rebound.sending.adapters.counted import CountedMailer
from rebound.sending.adapters.queues import encode_task
from rebound.sending.adapters.sqs_receipt_queue import encode_receipt
from rebound.sending.domain.chunk_tasks import ChunkTask
from rebound.sending.domain.recipients import Refused, Unknown
from rebound.sending.wiring import SendingUseCases
from rebound.timeline.wiring import TimelineUseCases
from tests.fakes import house
from tests.fakes.aws import make
from tests.fakes.making import (
    BUSINESS_ID,
    CAMPAIGN_ID,
    NO_SUCH_MAILBOX,
    RUN_ID,
    at,
    business,
    campaign,
    contact_key,
    contacts_of,
    customer,
    id_of,
    message,
    message_key,
    receipt,
)
from tests.integration.conftest import API_ID, TWILIO_TOKEN, Context, Stack, recorded

# What events/ is about.
OURS = MessageKey("salon-juniper", "5f0c9c1e7ab84d0e9c53c2f1d2a6b7e4", "01M7W6C3805FEE6AD6R1F2WA02")


def records(*bodies: str, receives: int = 1) -> dict[str, Any]:
    """An SQS event with these bodies."""
    event = recorded("sqs/email_chunk.json")
    template = event["Records"][0]
    event["Records"] = [
        {
            **template,
            "messageId": f"m{number}",
            "body": body,
            "attributes": {**template["attributes"], "ApproximateReceiveCount": str(receives)},
        }
        for number, body in enumerate(bodies)
    ]
    return event


def waiting_for(minutes: float, event: dict[str, Any]) -> dict[str, Any]:
    """The event with messages that have been on the queue for so long."""
    sent_at = house.ports().clock.now() - timedelta(minutes=minutes)
    for record in event["Records"]:
        record["attributes"]["SentTimestamp"] = str(int(sent_at.timestamp() * 1000))
    return event


def failures(answer: Mapping[str, Any]) -> list[str]:
    return sorted(failure["itemIdentifier"] for failure in answer["batchItemFailures"])


# --- authorize_request ------------------------------------------------------------------------------------------------


def authorize(stack: Stack, authorization: str | None, name: str = "Authorization") -> Any:
    event = recorded("api_gateway/authorize_request.json")
    event["headers"] = {"Host": "x"} if authorization is None else {name: authorization}
    return stack.invoke("authorize_request", event)


@pytest.mark.parametrize("header", ["Authorization", "authorization"])
def test_the_holder_of_a_key_comes_through_with_business_and_scopes(stack: Stack, header: str) -> None:
    new = house.use_cases().tenant_service.create_key(BUSINESS_ID)
    answer = authorize(stack, f"Bearer {new.token}", header)

    assert answer["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    assert answer["context"]["business_id"] == BUSINESS_ID
    assert "campaigns:write" in answer["context"]["scopes"].split()
    assert new.token not in json.dumps(answer)


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer x",
        "Basic {token}",
        "{token}",
        "Bearer {token}x",
        "Bearer rb.a.b.c",
        "Bearer rb.é.b.c",
        "Bearer rb.b." + "k" * 3000 + ".s",
        "Bearer rb." + "b" * 3000 + ".k.s",
    ],
    ids=lambda value: str(value)[:20],
)
def test_anybody_else_is_unauthorized(stack: Stack, authorization: str | None) -> None:
    token = house.use_cases().tenant_service.create_key(BUSINESS_ID).token
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        authorize(stack, authorization and authorization.replace("{token}", token))


def test_a_revoked_key_opens_nothing_and_a_rotated_one_goes_on_for_its_grace(stack: Stack) -> None:
    tenants = house.use_cases().tenant_service
    first, second = tenants.create_key(BUSINESS_ID), tenants.create_key(BUSINESS_ID)
    tenants.revoke_key(BUSINESS_ID, first.key.key_id)
    successor = tenants.rotate_key(BUSINESS_ID, second.key.key_id)

    with pytest.raises(Exception, match="Unauthorized"):
        authorize(stack, f"Bearer {first.token}")
    for token in (second.token, successor.token):
        assert authorize(stack, f"Bearer {token}")["context"]["business_id"] == BUSINESS_ID


# --- receive_callback -------------------------------------------------------------------------------------------------


def callback(**changes: Any) -> dict[str, Any]:
    """A callback as the gateway hands it on, signed for our address."""
    event = recorded("api_gateway/twilio_status.json")
    form = changes.pop("form", {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+14155550123", "Blank": ""})
    query = {"b": OURS.business_id, "c": OURS.customer_id, "m": OURS.message_id}
    body = "&".join(f"{name}={value.replace('+', '%2B')}" for name, value in form.items())
    url = status_url(f"https://{API_ID}.execute-api.us-east-1.amazonaws.com/live", OURS)
    signature = RequestValidator(TWILIO_TOKEN).compute_signature(url, form)
    event.update(
        queryStringParameters=query, headers={"X-Twilio-Signature": signature}, body=body, isBase64Encoded=False
    )
    event["requestContext"]["apiId"] = API_ID
    event.update(changes)
    return event


def test_a_callback_of_twilio_as_recorded_is_stored_and_then_acknowledged(stack: Stack) -> None:
    answer = stack.invoke("receive_callback", callback())
    (stored,) = stack.received("RECEIPTS_QUEUE_URL")
    (told,) = decode(stored["body"])

    assert answer["statusCode"] == 204
    assert (told.key, told.outcome, told.provider) == (OURS, Outcome.DELIVERED, Provider.TWILIO)


def test_a_callback_in_base64_is_the_same(stack: Stack) -> None:
    event = callback()
    event.update(body=base64.b64encode(event["body"].encode()).decode(), isBase64Encoded=True)

    assert stack.invoke("receive_callback", event)["statusCode"] == 204
    assert len(stack.received("RECEIPTS_QUEUE_URL")) == 1


GOOD = callback()
FORGERIES: dict[str, dict[str, Any]] = {
    "no signature": {"headers": {}},
    "no headers": {"headers": None},
    "an empty signature": {"headers": {"X-Twilio-Signature": ""}},
    "another signature": {"headers": {"X-Twilio-Signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="}},
    "signed with another token": {
        "headers": {"X-Twilio-Signature": RequestValidator("other").compute_signature("https://x", {})}
    },
    "another body": {"body": GOOD["body"].replace("delivered", "failed")},
    "a field more": {"body": GOOD["body"] + "&ErrorCode=30005"},
    "no body": {"body": None},
    "another customer": {"queryStringParameters": {"b": OURS.business_id, "c": id_of(1), "m": OURS.message_id}},
    "another business": {"queryStringParameters": {"b": "other", "c": OURS.customer_id, "m": OURS.message_id}},
    "no query": {"queryStringParameters": None},
    "half a query": {"queryStringParameters": {"b": OURS.business_id}},
    "not text": {"body": base64.b64encode(b"\xff\xfe").decode(), "isBase64Encoded": True},
    "too many fields": {"body": "&".join(f"a{n}=1" for n in range(2000))},
}


@pytest.mark.parametrize("changes", FORGERIES.values(), ids=FORGERIES)
def test_what_is_not_signed_for_exactly_this_address_is_refused_and_leaves_no_trace(
    stack: Stack, changes: dict[str, Any]
) -> None:
    answer = stack.invoke("receive_callback", {**callback(), **changes})

    assert answer["statusCode"] == 403
    assert json.loads(answer["body"])["status"] == 403
    assert stack.received("RECEIPTS_QUEUE_URL") == []


def test_the_host_header_has_no_say(stack: Stack) -> None:
    event = callback()
    event["headers"]["Host"] = "evil.example.com"

    assert stack.invoke("receive_callback", event)["statusCode"] == 204


# --- apply_receipts and relay_text_logs -------------------------------------------------------------------------------


def test_the_recorded_batch_of_receipts_is_applied_and_only_what_cannot_be_comes_again(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = waiting_for(0, recorded("sqs/receipts.json"))
    monkeypatch.setattr(house.ports().sqs_receipt_queue, "retry_in", lambda *_: None)
    told = [item for record in event["Records"] for item in decode(record["body"])]
    keys = {item.key for item in told if item.key is not None}
    house.ports().messages.record([message(1, key=key, address="ana@example.com") for key in keys])
    answer = stack.invoke("apply_receipts", event)
    early = [
        r["messageId"]
        for r in event["Records"]
        if any(item.key is None and item.provider is Provider.SNS for item in decode(r["body"]))
    ]

    assert failures(answer) == sorted(early)
    statuses = {row["status"]["S"] for row in stack.table("MESSAGES_TABLE")}
    assert statuses & {"delivered", "bounced", "failed"}


def suppressed(number: int = 1) -> str:
    """SES did not try a message, as it says so itself."""
    event = recorded("ses/bounce_permanent_on_account_suppression_list.json")
    key = message_key(number)
    names = ("business_id", "customer_id", "message_id")
    event["mail"]["tags"].update({name: [getattr(key, name)] for name in names})
    event["bounce"]["bouncedRecipients"][0]["emailAddress"] = f"Ana{number}@example.com"
    return json.dumps(event)


def test_what_was_not_tried_is_judged_by_the_entry_of_the_suppression_list(stack: Stack) -> None:
    house.ports().customers.save([customer(1)], contacts_of(customer(1)))
    house.ports().messages.record([message(1)])
    stack.suppressions.put("Ana1@example.com", "BOUNCE", at(-100))

    assert failures(stack.invoke("apply_receipts", records(suppressed()))) == []
    verdict = house.ports().contacts.get_many([contact_key(1)])[contact_key(1)].verdict(STANDARD_POLICY)
    assert (verdict.since, verdict.reason) == (at(-100), "bounce:on_suppression_list")
    assert verdict.evidence is not None
    assert verdict.evidence.message_id is None


def test_a_throttled_look_up_comes_again_as_a_new_message_and_not_as_a_failed_one(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    later: list[tuple[str, float]] = []
    monkeypatch.setattr(
        house.ports().sqs_receipt_queue, "put_body", lambda body, delay: later.append((body, delay.total_seconds()))
    )
    house.ports().customers.save([customer(3)], contacts_of(customer(3)))
    house.ports().messages.record([message(1), message(2), message(3)])
    stack.suppressions.troubles = [ComeAgainError()] * 99
    bounce = encode_receipt(receipt(Outcome.FAILED, 1, code=NO_SUCH_MAILBOX, key=message_key(3)))
    answer = stack.invoke("apply_receipts", records(suppressed(1), suppressed(2), bounce, receives=9))

    assert failures(answer) == []
    assert later == [(suppressed(1), 30), (suppressed(2), 32)]
    assert house.ports().contacts.get_many([contact_key(3)])[contact_key(3)].verdict(STANDARD_POLICY).invalid


def test_one_bad_body_takes_none_of_its_neighbours_along(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    again: list[tuple[str, float]] = []
    monkeypatch.setattr(
        house.ports().sqs_receipt_queue, "retry_in", lambda handle, delay: again.append((handle, delay.total_seconds()))
    )
    house.ports().customers.save([customer(1)], contacts_of(customer(1)))
    house.ports().messages.record([message(1)])
    bounce = receipt(Outcome.FAILED, 1, code=NO_SUCH_MAILBOX)
    bodies = [
        "not JSON",
        encode_receipt(bounce),
        encode_receipt(replace(bounce, key=message_key(9))),
        "[" * 200_000,
        '{"eventType": "Bounce"}',
        '{"kind": "new"}',
        "Successfully validated SNS topic for Amazon SES event publishing.",
        json.dumps(
            {
                "eventType": "Delivery",
                "mail": {"messageId": "x", "tags": {}},
                "delivery": {"timestamp": "0001-01-01T00:00:00+14:00", "recipients": ["a@b.c"]},
            }
        ),
    ]
    answer = stack.invoke("apply_receipts", records(*bodies, receives=3))

    assert failures(answer) == ["m0", "m2", "m3", "m4", "m5", "m7"]
    assert house.ports().messages.get_many([message_key(1)])[message_key(1)].status is MessageStatus.BOUNCED
    assert house.ports().contacts.get_many([contact_key(1)])[contact_key(1)].verdict(STANDARD_POLICY).invalid
    assert [seconds for _, seconds in again] == [8]


# --- metrics ----------------------------------------------------------------------------------------------------------


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The metrics of each line that CloudWatch would make metrics of."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"CloudWatchMetrics"' in line]
    return [
        {"service": line["service"]}
        | {
            metric["Name"]: line[metric["Name"]][0]
            for directive in line["_aws"]["CloudWatchMetrics"]
            for metric in directive["Metrics"]
        }
        for line in lines
        if all(directive["Dimensions"] == [["service"]] for directive in line["_aws"]["CloudWatchMetrics"])
    ]


def test_receipts_are_counted_by_outcome_in_one_line(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(house.ports().sqs_receipt_queue, "retry_in", lambda *_: None)
    house.ports().messages.record([message(number) for number in (1, 2, 3)])
    bodies = [encode_receipt(receipt(Outcome.DELIVERED, 1, key=message_key(number))) for number in (1, 2)]
    bodies.append(encode_receipt(receipt(Outcome.FAILED, 1, key=message_key(3), code=NO_SUCH_MAILBOX)))
    bodies += [encode_receipt(receipt(Outcome.DELIVERED, 1, key=message_key(9))), "not JSON"]
    capsys.readouterr()
    stack.invoke("apply_receipts", records(*bodies))

    assert told(capsys) == [
        {
            "service": "under-test",
            "ReceiptsDelivered": 2.0,
            "ReceiptsFailed": 1.0,
            "EarlyReceipts": 1.0,
            "MalformedReceipts": 1.0,
        }
    ]
    stack.invoke("apply_receipts", records())
    assert told(capsys) == []


def test_a_text_that_nobody_here_sent_is_waited_for_some_minutes_and_then_dropped_and_counted(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """SNS's delivery log is that of the account and region: other software's texts are in it too."""
    monkeypatch.setattr(house.ports().sqs_receipt_queue, "retry_in", lambda *_: None)
    line = encode_sns_text_log(recorded("sns/success.json"))
    told(capsys)

    def taken(minutes: float) -> tuple[list[str], dict[str, Any]]:
        early = encode_receipt(receipt(Outcome.DELIVERED, 1, key=message_key(9)))
        answer = stack.invoke("apply_receipts", waiting_for(minutes, records(line, early)))
        [counted] = told(capsys)
        return failures(answer), counted

    assert taken(1) == (["m0", "m1"], {"service": "under-test", "EarlyReceipts": 2.0})
    assert taken(16) == (["m1"], {"service": "under-test", "EarlyReceipts": 1.0, "ForeignReceipts": 1.0})


def test_what_becomes_of_a_chunk_is_counted_in_one_line(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    house.stand_in(monkeypatch, mailer=CountedMailer(stack.mailer, count))
    customers = [customer(number) for number in range(1, 6)]
    house.ports().customers.save(customers, [])
    stack.mailer.answer("ana2@example.com", Refused("MESSAGE_REJECTED"))
    stack.mailer.answer("ana3@example.com", Unknown("timeout"))
    house.ports().campaigns.add(campaign())
    for index in house.use_cases().plan_campaign(BUSINESS_ID, CAMPAIGN_ID):
        house.use_cases().expand_campaign(BUSINESS_ID, CAMPAIGN_ID, index, lambda: True)
    capsys.readouterr()
    stack.invoke("send_email", {"Records": stack.received("EMAIL_QUEUE_URL")})
    [line] = told(capsys)

    assert line == {
        "service": "under-test",
        "EmailsHandedOver": 3.0,
        "EmailsRefused": 1.0,
        "EmailsUncertain": 1.0,
    }


def test_a_chunk_that_is_only_throttled_says_that_nothing_was_handed_over(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half an hour of such zeros is what an alarm goes off at."""
    house.stand_in(monkeypatch, mailer=CountedMailer(stack.mailer, count))
    house.ports().customers.save([customer(number) for number in (1, 2)], [])
    for number in (1, 2):
        stack.mailer.answer(f"ana{number}@example.com", Throttled("ACCOUNT_THROTTLED"))
    house.ports().campaigns.add(campaign())
    for index in house.use_cases().plan_campaign(BUSINESS_ID, CAMPAIGN_ID):
        house.use_cases().expand_campaign(BUSINESS_ID, CAMPAIGN_ID, index, lambda: True)
    capsys.readouterr()
    stack.invoke("send_email", {"Records": stack.received("EMAIL_QUEUE_URL")})

    assert told(capsys) == [{"service": "under-test", "EmailsThrottled": 2.0, "EmailsHandedOver": 0.0}]


def test_flags_and_opt_outs_are_counted_like_the_events_that_tell_of_them(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    from rebound.contacts.domain.reachability import Failure  # noqa: PLC0415 - only here

    house.ports().customers.save([customer(1)], [])
    record = contact_record(1, "7", [Failure(at(0), "m1", Provider.SES, NO_SUCH_MAILBOX)])
    capsys.readouterr()
    stack.invoke("project_contacts", {"Records": [record]})

    assert told(capsys) == [{"service": "under-test", "ContactInvalidated": 1.0}]


# --- why a queue message failed ---------------------------------------------------------------------------------------


def reasons(*message_ids: str) -> dict[str, str]:
    return {id_: failure.reason for id_, failure in house.ports().failure_log.get_many(message_ids).items()}


def test_why_receipts_fail_is_kept_from_the_second_time_on(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house.ports().sqs_receipt_queue, "retry_in", lambda *_: None)
    house.ports().messages.record([message(1)])
    good = encode_receipt(receipt(Outcome.DELIVERED, 1))
    early = encode_receipt(receipt(Outcome.DELIVERED, 1, key=message_key(9)))
    bodies = (good, early, '{"eventType": "Bounce", "mail": {"destination": ["ana@example.com"]}}')
    stack.invoke("apply_receipts", records(*bodies))
    assert reasons("m0", "m1", "m2") == {}
    stack.invoke("apply_receipts", records(*bodies, receives=2))
    found = reasons("m0", "m1", "m2")

    assert found.keys() == {"m1", "m2"}
    assert found["m1"] == "early: the message that it is about is not known"
    assert found["m2"].startswith("malformed: ")
    assert "ana" not in json.dumps(found)


def test_receipts_that_break_the_batch_all_come_again_with_the_error_and_no_more_as_reason(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("ana@example.com")

    house.stand_in_for_use_case(monkeypatch, ReceiptsUseCases, apply_receipts=broken)
    body = encode_receipt(receipt(Outcome.DELIVERED, 1))

    assert failures(stack.invoke("apply_receipts", records(body, "not JSON", body, receives=2))) == ["m0", "m1", "m2"]
    assert reasons("m0")["m0"].startswith("RuntimeError (at ")
    assert "ana" not in json.dumps(reasons("m0", "m1", "m2"))


@pytest.mark.parametrize(
    ("function", "body", "reason"),
    [
        (
            "send_email",
            encode_task(ChunkTask(ChunkKey(BUSINESS_ID, CAMPAIGN_ID, "chunk#000#0000000"), 1, Lane.BULK)),
            "No such chunk.",
        ),
        ("send_text", "no JSON: ana@example.com", "JSONDecodeError (at "),
        ("run_upkeep", '{"cursor": "ana@example.com"}', "KeyError (at "),
        ("begin_import", "[]", "AttributeError (at "),
    ],
)
def test_why_a_message_of_any_other_queue_fails_is_kept_without_personal_data(
    stack: Stack, function: str, body: str, reason: str
) -> None:
    stack.invoke(function, records(body, receives=2))

    assert reason in reasons("m0")["m0"]
    assert "ana" not in reasons("m0")["m0"]


def test_who_could_not_be_forgotten_at_once_is_by_the_queue_of_copyings(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    unforgotten = house.ports().unforgotten
    for number in (1, 2):
        unforgotten.keep(customer(number))
    body = json.dumps({"business_id": BUSINESS_ID, "customer_id": id_of(1)})
    with monkeypatch.context() as patched:
        house.stand_in_for_use_case(patched, TimelineUseCases, erase_customer=SimpleNamespace(again=broken))
        assert failures(stack.invoke("run_upkeep", records(body))) == ["m0"]
    assert unforgotten.find(BUSINESS_ID, id_of(1)) is not None
    assert failures(stack.invoke("run_upkeep", records(body, body))) == []

    assert unforgotten.find(BUSINESS_ID, id_of(1)) is None
    assert unforgotten.find(BUSINESS_ID, id_of(2)) is not None


def test_a_reason_that_cannot_be_kept_changes_nothing_else(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def record(self, failure: object) -> None:
            raise RuntimeError

    house.stand_in(monkeypatch, failure_log=Broken())
    chunk = encode_task(ChunkTask(ChunkKey(BUSINESS_ID, CAMPAIGN_ID, "chunk#000#0000000"), 1, Lane.BULK))

    assert failures(stack.invoke("send_email", records(chunk, chunk, receives=4))) == ["m0", "m1"]


def test_sns_log_lines_are_put_on_the_queue_of_receipts_one_by_one(stack: Stack) -> None:
    stack.invoke("relay_text_logs", recorded("sns/awslogs_failures.json"))
    stack.invoke("relay_text_logs", recorded("sns/awslogs_success.json"))
    stack.invoke("relay_text_logs", recorded("sns/awslogs_control_message.json"))
    told = [item for stored in stack.received("RECEIPTS_QUEUE_URL") for item in decode(stored["body"])]

    assert sorted(item.outcome for item in told) == [Outcome.DELIVERED, Outcome.FAILED, Outcome.FAILED]
    assert {item.provider for item in told} == {Provider.SNS}


# --- a whole campaign -------------------------------------------------------------------------------------------------


def streamed(stack: Stack) -> list[dict[str, Any]]:
    """Everything that stands in the message log, as the stream tells of new rows."""
    template = recorded("dynamodb/messages_insert.json")["Records"][0]
    rows = [row for row in stack.table("MESSAGES_TABLE") if "campaign_id" in row]
    return [
        {**template, "dynamodb": {"NewImage": row, "SequenceNumber": str(100 + number)}}
        for number, row in enumerate(rows)
    ]


@pytest.mark.parametrize("channel", list(Channel))
def test_a_campaign_goes_through_all_its_functions_and_adds_up(stack: Stack, channel: Channel) -> None:
    house.ports().customers.save([customer(n) for n in range(60)], [])
    script = stack.mailer if channel is Channel.EMAIL else stack.texter
    script.answer(customer(7).address(channel) or "", Throttled("ACCOUNT_THROTTLED"))
    posted = {"name": "x", "category": "marketing", "channel": channel, "filter": {"all": []}}
    content = (
        {"subject": "Hi ##{{first_name}}", "text": "t"} if channel is Channel.EMAIL else {"body": "Hi ##{{first_name}}"}
    )
    campaign_id = stack.api("POST", "/v1/campaigns", {**posted, "content": content}).body["campaign_id"]
    ids = {"business_id": BUSINESS_ID, "campaign_id": campaign_id}
    before, again = (stack.invoke("plan_campaign", ids) for _ in range(2))
    function, queue = ("send_email", "EMAIL_QUEUE_URL") if channel is Channel.EMAIL else ("send_text", "TEXT_QUEUE_URL")
    chunks = stack.received(queue)
    for _ in range(2):
        assert failures(stack.invoke(function, {"Records": chunks})) == []
    event = {**recorded("dynamodb/messages_insert.json"), "Records": streamed(stack)}
    for _ in range(2):
        assert stack.invoke("count_results", event) == {"state": {}}
    assert stack.invoke("count_results", recorded("dynamodb/messages_window_ends.json")) == {"state": {}}
    after = stack.invoke("drain_campaign", {**ids, "polls": before["polls"]})
    stack.invoke("close_campaign", ids)
    view = stack.api("GET", f"/v1/campaigns/{campaign_id}").body
    listed = stack.api("GET", f"/v1/campaigns/{campaign_id}/messages", query={"limit": "100"}).body["items"]

    assert (before["expanded"], before["ranges"], again["ranges"]) == (True, [], [])
    assert (before["drained"], before["polls"], before["continue"]) == (False, 1, False)
    assert (after["drained"], after["polls"]) == (True, 2)
    assert view["status"] == "completed"
    assert view["audience"] == {"matched": 60, "excluded": {}, "targeted": 60}
    assert view["results"]["sent"] == sum(view["results"].values()) == 60
    assert set(script.went_out.values()) == {1}
    assert len(listed) == 60


def test_several_ranges_are_left_to_steps_of_their_own(stack: Stack) -> None:
    house.ports().customers.save([customer(n) for n in range(60)], [])
    house.ports().campaigns.add(campaign(run_id=RUN_ID, ranges=2, status=CampaignStatus.EXPANDING))
    ids = {"business_id": BUSINESS_ID, "campaign_id": CAMPAIGN_ID}
    plan = stack.invoke("plan_campaign", ids)
    assert (plan["expanded"], plan["ranges"], plan["drained"]) == (False, [0, 1], False)
    assert stack.received("EMAIL_QUEUE_URL") == []
    for index in [0, 0, 1]:
        assert stack.invoke("expand_campaign", {**ids, "range": index}) == {"done": True}
    looked = stack.invoke("drain_campaign", {**ids, "polls": plan["polls"]})
    assert (looked["expanded"], looked["ranges"], looked["polls"]) == (True, [], 1)


def test_a_single_range_that_the_time_is_too_short_for_goes_on_in_a_step_of_its_own(stack: Stack) -> None:
    house.ports().customers.save([customer(n) for n in range(60)], [])
    house.ports().campaigns.add(campaign())
    ids = {"business_id": BUSINESS_ID, "campaign_id": CAMPAIGN_ID}
    plan = stack.invoke("plan_campaign", ids, Context(milliseconds=1000))
    assert (plan["expanded"], plan["ranges"]) == (False, [0])
    assert stack.invoke("expand_campaign", {**ids, "range": 0}) == {"done": True}
    assert stack.invoke("drain_campaign", {**ids, "polls": plan["polls"]})["expanded"]


def test_a_chunk_that_another_worker_holds_comes_again_and_its_neighbours_do_not(stack: Stack) -> None:
    house.ports().customers.save([customer(1)], [])
    house.ports().campaigns.add(campaign(run_id=RUN_ID, selection=Selection(customer_ids=(id_of(1),))))
    house.use_cases().expand_campaign(BUSINESS_ID, CAMPAIGN_ID, 0, lambda: True)
    key = ChunkKey(BUSINESS_ID, CAMPAIGN_ID, "chunk#000#0000000")
    house.ports().chunks.claim(key, "somebody", house.ports().clock.now(), __import__("datetime").timedelta(seconds=90))
    held = ChunkTask(key, 1, Lane.BULK)
    absent = replace(held, key=replace(key, chunk="chunk#000#0000099"))
    answer = stack.invoke("send_email", records(encode_task(held), "not JSON", encode_task(absent)))

    assert failures(answer) == ["m0", "m1", "m2"]
    assert stack.mailer.handed == []


def test_a_campaign_whose_segment_is_gone_cannot_go_on_and_says_so(stack: Stack) -> None:
    house.ports().segments.put(Segment(BUSINESS_ID, "vips", "VIPs", {"tag": "vip"}, at(0)))
    house.ports().campaigns.add(campaign(selection=Selection(segment_id="vips")))
    house.ports().segments.delete(BUSINESS_ID, "vips")
    ids = {"business_id": BUSINESS_ID, "campaign_id": CAMPAIGN_ID}
    plan = stack.invoke("plan_campaign", ids)
    stack.invoke("close_campaign", ids)
    view = stack.api("GET", f"/v1/campaigns/{CAMPAIGN_ID}").body

    assert (plan["expanded"], plan["ranges"], plan["drained"]) == (True, [], True)
    assert (view["status"], view["reason"]) == ("failed", "No such segment.")


@pytest.mark.parametrize(
    "error", [{"Error": "TechnicalError", "Cause": "ana@example.com"}, {"Error": "States.Timeout"}]
)
def test_a_technical_failure_is_told_without_its_words(stack: Stack, error: dict[str, str]) -> None:
    house.ports().campaigns.add(campaign())
    stack.invoke("close_campaign", {"business_id": BUSINESS_ID, "campaign_id": CAMPAIGN_ID, "error": error})
    ended = house.ports().campaigns.get(BUSINESS_ID, CAMPAIGN_ID)

    assert ended.status is CampaignStatus.FAILED
    assert "ana@example.com" not in (ended.failure or "")


def test_a_step_that_fails_outside_is_a_technical_error_without_its_words(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("ana@example.com")

    house.stand_in_for_use_case(monkeypatch, SendingUseCases, plan_campaign=broken)
    with pytest.raises(Exception, match=r"^RuntimeError") as raised:
        stack.invoke("plan_campaign", {"business_id": BUSINESS_ID, "campaign_id": CAMPAIGN_ID})

    assert type(raised.value).__name__ == "TechnicalError"


# --- project_contacts -------------------------------------------------------------------------------------------------


def contact_record(number: int, sequence: str, before: Any = None) -> dict[str, Any]:
    key = contact_key(number)
    contact = house.ports().contacts.get_many([key])[key]
    house.ports().contacts.save(
        replace(
            contact.with_evidence(*([] if before is None else before)),
            customer_ids=contact.customer_ids | {id_of(number)},
        )
    )
    (image,) = [
        row for row in make("dynamodb").scan(TableName="ContactsTable")["Items"] if row["contact_id"]["S"] == str(key)
    ]
    change = {"NewImage": image, "SequenceNumber": sequence, "ApproximateCreationDateTime": at(0).timestamp()}
    return {"eventID": f"change-{sequence}", "eventName": "INSERT", "dynamodb": change}


def test_a_bad_address_is_copied_to_its_customers_and_told_on_the_bus(stack: Stack) -> None:
    from rebound.contacts.domain.reachability import Failure  # noqa: PLC0415 - only here

    house.ports().customers.save([customer(1)], [])
    record = contact_record(1, "7", [Failure(at(0), "m1", Provider.SES, NO_SUCH_MAILBOX)])
    change = record["dynamodb"]
    gone = {**change, "OldImage": change["NewImage"], "SequenceNumber": "8"}
    del gone["NewImage"]
    removal = {"eventID": "change-8", "eventName": "REMOVE", "dynamodb": gone}

    assert stack.invoke("project_contacts", {"Records": [record, removal, record]}) == {"batchItemFailures": []}
    assert house.ports().customers.get(BUSINESS_ID, id_of(1)).failed_email
    assert [c["customer_id"] for c in stack.api("GET", "/v1/customers", query={"failed": "email"}).body["items"]] == [
        id_of(1)
    ]


def test_from_the_first_change_that_fails_on_all_come_again(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    house.ports().customers.save([customer(1), customer(2)], [])
    changes = [
        contact_record(1, "7"),
        {"eventID": "change-8", "dynamodb": {"NewImage": {"nonsense": {"S": "x"}}, "SequenceNumber": "8"}},
        contact_record(2, "9"),
    ]

    assert stack.invoke("project_contacts", {"Records": changes}) == {"batchItemFailures": [{"itemIdentifier": "8"}]}


# --- imports ----------------------------------------------------------------------------------------------------------


def run_import(stack: Stack, import_id: str, context: Context | None = None) -> None:
    """What the state machine does, with a first try of each part in ``context``."""
    what = {"business_id": BUSINESS_ID, "import_id": import_id}
    split = stack.invoke("split_import", what)
    assert split["done"]
    for part in split["parts"]:
        while not stack.invoke("import_customers", {**what, "part": part}, context)["done"]:
            context = None
    assert stack.invoke("close_import", what) == {}


def uploaded(import_id: str) -> dict[str, Any]:
    event = recorded("s3/import_uploaded.json")
    body = json.loads(event["Records"][0]["body"])
    body["Records"][0]["s3"]["object"]["key"] = f"imports/{BUSINESS_ID}/{import_id}"
    event["Records"][0]["body"] = json.dumps(body)
    return event


def imported(stack: Stack, content: str, format_: str = "csv", **options: Any) -> dict[str, Any]:
    accepted = stack.api("POST", "/v1/imports", {"format": format_, "content": content, **options})
    assert accepted.status == 202
    import_id = accepted.body["import_id"]
    run_import(stack, import_id)
    body: dict[str, Any] = stack.api("GET", f"/v1/imports/{import_id}").body
    return body


def counts(rows: int, **more: int) -> dict[str, int]:
    nothing = {"created": 0, "updated": 0, "unchanged": 0, "failed": 0, "incomplete": 0}
    return {"rows": rows, **nothing, **more}


HEADER = "external_id,first_name,last_name,email,mobile_phone,general_tags\n"


def test_good_rows_go_in_and_each_bad_row_is_named_with_line_and_field(stack: Stack) -> None:
    body = imported(
        stack,
        "\ufeff"
        + HEADER
        + 'A1,Íris,Silva,iris@example.com,(415) 555-0123,vip;new\nA2,,Silva,x,1,\n\nA3,Bo,"Two\nLines",,,\nA4,Bo\n',
    )

    assert body["status"] == "completed"
    assert body["counts"] == counts(4, created=1, failed=3)
    assert {(error["line"], error["field"]) for error in body["errors"]} == {
        (3, "first_name"), (3, "email"), (3, "mobile_phone"), (5, "last_name"), (7, "row"),
    }  # fmt: skip
    (row,) = stack.table("CUSTOMERS_TABLE")
    assert row["mobile_phone"]["S"] == "+14155550123"


def test_importing_the_same_file_again_changes_nothing(stack: Stack) -> None:
    content = HEADER + "A1,Ana,Silva,ana@example.com,,vip\nA2,Bo,Silva,bo@example.com,,\n"
    first, second = imported(stack, content), imported(stack, content)
    third = imported(stack, content.replace("Bo,Silva", "Bob,Silva"))

    assert first["counts"] == counts(2, created=2)
    assert second["counts"] == counts(2, unchanged=2)
    assert third["counts"] == counts(2, updated=1, unchanged=1)


def test_an_import_says_how_its_file_is_read_and_shows_what_became_of_it(stack: Stack) -> None:
    options: dict[str, Any] = {
        "columns": {"Mobile": "mobile_phone", "Notes": None},
        "date_format": "DD/MM/YYYY",
        "empty_cells": "clear",
        "match_by": "email",
        "protect": ["general_tags"],
    }
    content = (
        "First Name;last-name;E-Mail;Mobile;Birthday;general_tags;Notes\n"
        'Ana;Silva;ana@example.com;(415) 555-0123;04/01/1990;"vip, new";x\n'
        "Bo;Silva;odd;;;;\n"
    )
    first = imported(stack, content, **options)
    again = imported(stack, content.replace("(415) 555-0123", "").replace("vip, new", "other"), **options)
    [ana] = [row for row in stack.table("CUSTOMERS_TABLE") if row["first_name"]["S"] == "Ana"]

    assert first["counts"] == counts(2, created=2, incomplete=1)
    assert first["summary"] == [
        {"kind": "warning", "field": "email", "reason": first["warnings"][0]["message"], "count": 1}
    ]
    assert again["counts"] == counts(2, updated=1, unchanged=1, incomplete=2)
    assert {(each["line"], each["field"]) for each in again["warnings"]} == {(2, "general_tags"), (3, "email")}
    assert (ana["birthday"]["S"], "mobile_phone" in ana) == ("1990-01-04", False)
    for name in ("result", "errors"):
        key = f"exports/{BUSINESS_ID}/{first['import_id']}-{name}"
        assert key in first[f"{name}_url"]
        assert make("s3").get_object(Bucket="imports", Key=key)["Body"].read().decode().startswith("line,")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"columns": {"Mobile": "shoe_size"}}, "columns.Mobile"),
        ({"columns": {"": "email"}}, "columns."),
        ({"columns": ["email"]}, "columns"),
        ({"date_format": "some day"}, "date_format"),
        ({"empty_cells": "maybe"}, "empty_cells"),
        ({"match_by": ["fax"]}, "match_by[0]"),
        ({"protect": ["shoe_size"]}, "protect"),
        ({"protect": "email"}, "protect"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_options_that_cannot_be_are_refused_with_the_field_and_start_nothing(
    stack: Stack, options: dict[str, Any], field: str
) -> None:
    before = stack.table("DIRECTORY_TABLE")
    answer = stack.api("POST", "/v1/imports", {"format": "csv", "content": HEADER, **options})

    assert (answer.status, answer.fields) == (422, [field])
    assert stack.table("DIRECTORY_TABLE") == before


def test_two_rows_with_one_external_id_are_one_customer_and_the_counts_add_up(stack: Stack) -> None:
    row = '{"external_id": "A1", "first_name": "%s", "last_name": "Silva"}\n'
    body = imported(stack, row % "Ana" + row % "Bea", "jsonl")
    found = body["counts"]

    assert len(stack.table("CUSTOMERS_TABLE")) == 1
    assert found["rows"] == found["created"] + found["updated"] + found["unchanged"] + found["failed"] == 2


BAD_LINES = [
    "not JSON",
    "[1]",
    '{"first_name": 5, "last_name": "x"}',
    '{"first_name": "a", "last_name": "b", "points": 5}',
    '{"first_name": "\\ud800", "last_name": "b"}',
    '{"first_name": "a", "last_name": "b", "\\ud800": "x"}',
    '{"first_name": "a", "last_name": "b", "customer_id": 5}',
    "[" * 60_000,
    '{"first_name": "' + "x" * 70_000 + '", "last_name": "b"}',
]


def test_no_line_whatever_stops_an_import(stack: Stack) -> None:
    good = '{"first_name": "Ana", "last_name": "Silva"}'
    odd = '{"first_name": "a", "last_name": "b", "general_tags": ["\\ud800"], "email": {"a": ["b"]}}'
    body = imported(stack, "\n".join([*BAD_LINES, good, odd]), "jsonl")

    assert body["status"] == "completed"
    assert body["counts"] == counts(len(BAD_LINES) + 2, created=2, failed=len(BAD_LINES), incomplete=1)
    assert {(each["line"], each["field"]) for each in body["warnings"]} == {
        (len(BAD_LINES) + 2, field) for field in ("email", "general_tags")
    }
    assert [error["line"] for error in body["errors"]] == list(range(1, len(BAD_LINES) + 1))


@pytest.mark.parametrize("content", ["", "shoe_size\n5\n", "first_name,first_name\na,b\n", "PK\u0003\u0004"])
def test_a_file_that_cannot_be_read_fails_with_a_reason(stack: Stack, content: str) -> None:
    body = imported(stack, content)

    assert body["status"] == "failed"
    assert body["reason"]


def test_a_part_that_runs_out_of_time_comes_again_and_goes_on(stack: Stack) -> None:
    content = "first_name,last_name\n" + "Ana,Silva\n" * 60
    view, _ = house.use_cases().start_import(BUSINESS_ID, "csv", content)
    run_import(stack, view.job.import_id, Context(milliseconds=10))

    assert house.use_cases().start_import.get(BUSINESS_ID, view.job.import_id).counts == RowCounts(60, created=60)
    assert len(stack.table("CUSTOMERS_TABLE")) == 60


def test_a_thousand_bad_rows_fit_into_the_report(stack: Stack) -> None:
    name = "é" * 64
    body = imported(stack, f'{{"{name}": 1}}\n' * 1100, "jsonl")

    assert body["status"] == "completed"
    assert body["counts"]["failed"] == 1100
    assert [error["line"] for error in body["errors"]] == list(range(1, 501))


def test_what_s3_says_when_notifications_are_set_up_is_nothing(stack: Stack) -> None:
    before = executions(stack)
    assert failures(stack.invoke("begin_import", recorded("s3/test_event.json"))) == []
    assert executions(stack) == before


def test_a_file_of_no_import_is_left_alone(stack: Stack) -> None:
    before = executions(stack)
    assert failures(stack.invoke("begin_import", uploaded("01M7W5F8G0QK3D9V2T7N4H6J8M"))) == []
    assert failures(stack.invoke("begin_import", recorded("s3/import_uploaded_escaped_key.json"))) == []
    assert executions(stack) == before


def test_the_arrival_of_a_file_starts_its_import_once_with_ids_only(stack: Stack) -> None:
    view, _ = house.use_cases().start_import(BUSINESS_ID, "csv", HEADER)
    for _ in range(2):
        assert failures(stack.invoke("begin_import", uploaded(view.job.import_id))) == []
    [execution] = [found for found in executions(stack) if found["name"] == view.job.import_id]
    described = make("stepfunctions").describe_execution(executionArn=execution["executionArn"])

    assert json.loads(described["input"]) == {"business_id": BUSINESS_ID, "import_id": view.job.import_id}


def test_an_import_that_failed_for_a_technical_reason_can_be_run_again(stack: Stack) -> None:
    view, _ = house.use_cases().start_import(BUSINESS_ID, "csv", HEADER + "A1,Ana,Silva,ana@example.com,,\n")
    what = {"business_id": BUSINESS_ID, "import_id": view.job.import_id}
    stack.invoke("split_import", what)
    stack.invoke("close_import", {**what, "error": {"Error": "TechnicalError", "Cause": "…"}})
    failed = stack.api("GET", f"/v1/imports/{view.job.import_id}").body
    run_import(stack, view.job.import_id)
    done = stack.api("GET", f"/v1/imports/{view.job.import_id}").body

    assert (failed["status"], done["status"], done["reason"]) == ("failed", "completed", None)
    assert failed["reason"]
    assert done["counts"] == counts(1, created=1)


def test_no_part_of_a_file_is_left_when_its_import_is_done(stack: Stack) -> None:
    body = imported(stack, HEADER + "A1,Ana,Silva,ana@example.com,,\n")
    keys = [found["Key"] for found in make("s3").list_objects_v2(Bucket="imports")["Contents"]]

    assert body["progress"] == {"rows_read": 1, "all_read": True, "rows_done": 1}
    assert sorted(key for key in keys if body["import_id"] in key) == [
        f"exports/{BUSINESS_ID}/{body['import_id']}-result",
        f"imports/{BUSINESS_ID}/{body['import_id']}",
    ]


def test_an_export_of_a_filtered_list_can_be_fetched_and_imported_again_without_a_change(stack: Stack) -> None:
    imported(stack, HEADER + "A1,Ana,Silva,ana@example.com,(415) 555-0123,vip\nA2,=Bo,Silva,,,\n,Cy,Silva,,,vip\n")
    before = stack.table("CUSTOMERS_TABLE")
    accepted = stack.api("POST", "/v1/exports", {"format": "csv", "tag": "vip"}, scopes="customers:read")
    export_id = accepted.body["export_id"]
    assert stack.invoke("export_customers", {"business_id": BUSINESS_ID, "export_id": export_id}) == {"done": True}
    body = stack.api("GET", f"/v1/exports/{export_id}").body
    content = make("s3").get_object(Bucket="imports", Key=f"exports/{BUSINESS_ID}/{export_id}")["Body"].read().decode()
    again = imported(stack, content)

    assert (accepted.status, accepted.body["status"], accepted.body["download_url"]) == (202, "queued", None)
    assert (body["status"], body["rows"], export_id in body["download_url"]) == ("completed", 2, True)
    assert again["counts"] == counts(2, unchanged=2)
    assert stack.table("CUSTOMERS_TABLE") == before


def test_an_export_that_failed_says_so(stack: Stack) -> None:
    export_id = stack.api("POST", "/v1/exports", {"format": "jsonl"}).body["export_id"]
    error = {"Error": "TechnicalError", "Cause": "…"}
    stack.invoke("export_customers", {"business_id": BUSINESS_ID, "export_id": export_id, "error": error})
    body = stack.api("GET", f"/v1/exports/{export_id}").body

    assert (body["status"], body["download_url"]) == ("failed", None)
    assert body["reason"]


@pytest.mark.parametrize(
    ("given", "status", "fields"),
    [
        ({}, 422, ["format"]),
        ({"format": "xlsx"}, 422, ["format"]),
        ({"format": "csv", "failed": "fax"}, 422, ["failed"]),
        ({"format": "csv", "filter": {"tag": 5}}, 422, ["filter.tag"]),
        ({"format": "csv", "segment_id": "none"}, 422, ["segment_id"]),
        ({"format": "csv", "columns": []}, 422, ["columns"]),
    ],
)
def test_an_export_that_cannot_be_is_refused(stack: Stack, given: Any, status: int, fields: list[str]) -> None:
    answer = stack.api("POST", "/v1/exports", given)

    assert (answer.status, answer.fields) == (status, fields)
    assert stack.api("GET", "/v1/exports/none").status == 404
    assert stack.api("POST", "/v1/exports", {"format": "csv"}, scopes="customers:write").status == 403


def executions(stack: Stack) -> list[dict[str, Any]]:
    arn = stack.settings["IMPORT_STATE_MACHINE_ARN"]
    found: list[dict[str, Any]] = make("stepfunctions").list_executions(stateMachineArn=arn)["executions"]
    return found


# --- operate_stack ----------------------------------------------------------------------------------------------------


NOVA = {"command": "create-business", "name": "Nova", "country": "pt", "time_zone": "Europe/Lisbon"}


def test_the_operator_creates_a_business_and_keys(stack: Stack) -> None:
    made = stack.invoke("operate_stack", NOVA)
    key = stack.invoke(
        "operate_stack", {"command": "create-key", "business_id": made["business_id"], "scopes": ["campaigns:read"]}
    )
    listed = stack.invoke("operate_stack", {"command": "list-keys", "business_id": made["business_id"]})

    assert made["country"] == "PT"
    assert authorize(stack, f"Bearer {key['api_key']}")["context"]["scopes"] == "campaigns:read"
    assert [kept["key_id"] for kept in listed["keys"]] == [key["key_id"]]
    assert "api_key" not in listed["keys"][0]


def test_the_operator_lists_and_redrives_dead_letters(stack: Stack) -> None:
    dead = json.loads(stack.settings["DEAD_LETTER_QUEUES"])["email"][1]
    chunk = ChunkKey(BUSINESS_ID, CAMPAIGN_ID, "chunk#000#0000000")
    body = encode_task(ChunkTask(chunk, 1, Lane.BULK))
    sent = stack.sqs.send_message(QueueUrl=dead, MessageBody=body)["MessageId"]
    failing = records(body, receives=5)
    failing["Records"][0]["messageId"] = sent
    stack.invoke("send_email", failing)
    listed = stack.invoke("operate_stack", {"command": "dead-letters", "queue": "email"})["queues"]["email"]
    redriven = stack.invoke("operate_stack", {"command": "redrive", "queue": "email"})

    [letter] = listed["dead_letters"]
    assert letter["message_id"] == sent
    assert letter["about"] == [{"business_id": BUSINESS_ID, "campaign_id": CAMPAIGN_ID, "chunk": chunk.chunk}]
    assert "No such chunk." in letter["reason"]
    assert letter["receives"] == 5
    assert redriven == {"redriven": {"email": 1}, "done": True}
    assert [record["body"] for record in stack.received("EMAIL_QUEUE_URL")] == [body]


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({}, "command"),
        ({"command": "drop-tables"}, "command"),
        ({"command": "create-business"}, "name"),
        ({**NOVA, "country": "Portugal"}, "country"),
        ({**NOVA, "time_zone": "Mars"}, "time_zone"),
        ({**NOVA, "text_provider": "pigeon"}, "text_provider"),
        ({**NOVA, "owner_email": "x"}, "owner_email"),
        ({"command": "create-key"}, "business_id"),
        ({"command": "create-key", "business_id": "nobody"}, "command"),
        ({"command": "create-key", "business_id": BUSINESS_ID, "scopes": ["everything"]}, "scopes"),
        ({"command": "revoke-key", "business_id": BUSINESS_ID, "key_id": "none"}, "command"),
        ({"command": "dead-letters", "queue": "postcards"}, "queue"),
        ({"command": "dead-letters", "limit": 0}, "limit"),
        ({"command": "dead-letters", "limit": 1001}, "limit"),
        ({"command": "dead-letters", "limit": True}, "limit"),
        ({"command": "redrive"}, "queue"),
        ({"command": "redrive", "queue": "postcards"}, "queue"),
        ({"command": "rotate-key", "business_id": BUSINESS_ID}, "key_id"),
        ({"command": "rotate-key", "business_id": BUSINESS_ID, "key_id": "x", "grace_hours": "soon"}, "grace_hours"),
        ({"command": "rotate-key", "business_id": BUSINESS_ID, "key_id": "x", "grace_hours": 1e300}, "grace_hours"),
        ({"command": "rotate-key", "business_id": BUSINESS_ID, "key_id": "x", "grace_hours": -1}, "grace_hours"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_command_that_cannot_be_is_answered_with_its_field(stack: Stack, event: dict[str, Any], field: str) -> None:
    answer = stack.invoke("operate_stack", event)

    assert field in [error["field"] for error in answer["errors"]]


def test_the_business_of_the_fixture_is_the_one_that_is_kept(stack: Stack) -> None:
    assert house.ports().businesses.get(BUSINESS_ID) == business(version=1)
    assert isinstance(receipt(), Receipt)


# --- reconcile_suppressions -------------------------------------------------------------------------------------------


def test_the_nightly_comparison_repairs_and_answers_with_counts_only(stack: Stack) -> None:
    people = [customer(1), customer(2), customer(3)]
    house.ports().customers.save(people, contacts_of(*people))
    stack.suppressions.put("ana1@example.com", "BOUNCE", at(-100))
    stack.suppressions.put("ana2@example.com", "COMPLAINT", at(-100))
    stack.suppressions.put("ana3@example.com", "BOUNCE", at(-100))
    cleared = (
        house.ports().contacts.get_many([contact_key(3)])[contact_key(3)].with_evidence(Cleared(at(), ClearedBy.EDIT))
    )
    house.ports().contacts.save(cleared)
    event = recorded("step_functions/reconcile_suppressions.json")

    answer = stack.invoke("reconcile_suppressions", event)
    assert answer == {
        "done": True,
        "entries": 3,
        "drift": {"stale_entry": 1, "unknown_bounce": 1, "unknown_complaint": 1},
    }
    assert set(stack.suppressions.entries) == {"ana1@example.com", "ana2@example.com"}
    assert house.ports().contacts.get_many([contact_key(1)])[contact_key(1)].verdict(STANDARD_POLICY).since == at(-100)
    again = stack.invoke("reconcile_suppressions", {"run": "by-hand"})
    assert (again["done"], again["drift"]) == (True, {})
