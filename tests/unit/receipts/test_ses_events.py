"""SES events: what each field of a receipt is taken from, and what happens when something is missing or new."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rebound.kernel.errors import MalformedReceiptError, ReboundError
from rebound.kernel.receipts import MessageKey, Outcome
from rebound.receipts.adapters.ses_events import parse_ses_event

KEY = MessageKey("salon-juniper", "5f0c9c1e7ab84d0e9c53c2f1d2a6b7e4", "01M7W6C3805FEE6AD6R1F2WA02")


def event(event_type: str, **parts: object) -> dict[str, Any]:
    return {
        "eventType": event_type,
        "mail": {
            "timestamp": "2026-11-20T10:00:00.312Z",
            "messageId": "0100019a",
            "destination": ["ana@example.com"],
            "tags": {
                "ses:configuration-set": ["rebound"],
                "business_id": [KEY.business_id],
                "customer_id": [KEY.customer_id],
                "message_id": [KEY.message_id],
            },
        },
        **parts,
    }


def bounce(**changes: object) -> dict[str, Any]:
    return event(
        "Bounce",
        bounce={
            "bounceType": "Permanent",
            "bounceSubType": "NoEmail",
            "bouncedRecipients": [{"emailAddress": "ana@example.com", "diagnosticCode": "smtp; 550 5.1.1 unknown"}],
            "timestamp": "2026-11-20T10:00:04.669Z",
            **changes,
        },
    )


def delivery(**changes: object) -> dict[str, Any]:
    return event(
        "Delivery",
        delivery={"timestamp": "2026-11-20T10:00:01Z", "recipients": ["ana@example.com"], **changes},
    )


def test_the_key_comes_from_the_tags() -> None:
    [receipt] = parse_ses_event(bounce())
    assert receipt.key == KEY
    assert receipt.provider_id == "0100019a"


def test_an_email_without_our_tags_has_no_key() -> None:
    foreign = bounce()
    foreign["mail"]["tags"] = {"ses:configuration-set": ["rebound"]}
    [receipt] = parse_ses_event(foreign)
    assert receipt.key is None


@pytest.mark.parametrize("value", [None, [], ["a", "b"], "salon-juniper", [""], [7]])
def test_a_damaged_tag_is_an_error_and_never_half_a_key(value: object) -> None:
    damaged = bounce()
    damaged["mail"]["tags"]["customer_id"] = value
    with pytest.raises(MalformedReceiptError, match="customer_id"):
        parse_ses_event(damaged)


@pytest.mark.parametrize("missing", [("customer_id",), ("business_id",), ("message_id", "customer_id")])
def test_some_of_our_tags_without_the_others_are_an_error_and_not_an_email_of_somebody_else(
    missing: tuple[str, ...],
) -> None:
    """Else the receipt would be put aside without a word, and nobody would see that the tags have broken."""
    damaged = bounce()
    for tag in missing:
        del damaged["mail"]["tags"][tag]
    with pytest.raises(MalformedReceiptError, match=missing[0] if len(missing) == 1 else "customer_id|message_id"):
        parse_ses_event(damaged)


def test_every_recipient_of_a_bounce_has_its_own_receipt_and_words() -> None:
    receipts = parse_ses_event(
        bounce(
            bouncedRecipients=[
                {"emailAddress": "ana@example.com", "diagnosticCode": "smtp; 550 no such user"},
                {"emailAddress": "bruno@example.com"},
            ]
        )
    )
    assert [(receipt.address, receipt.detail) for receipt in receipts] == [
        ("ana@example.com", "smtp; 550 no such user"),
        ("bruno@example.com", None),
    ]


def test_addresses_are_as_they_were_written() -> None:
    [receipt] = parse_ses_event(delivery(recipients=["Ana.Silva@Example.COM"]))
    assert receipt.address == "Ana.Silva@Example.COM"


def test_every_recipient_of_a_bounce_has_the_code_of_its_own_mail_server() -> None:
    receipts = parse_ses_event(
        bounce(
            bounceType="Transient",
            bounceSubType="General",
            bouncedRecipients=[
                {
                    "emailAddress": "a@example.com",
                    "status": "5.4.4",
                    "diagnosticCode": "smtp; 550 5.4.4 Invalid domain",
                },
                {"emailAddress": "b@example.com", "status": "4.4.7", "diagnosticCode": "smtp; 451 4.4.1 later"},
                {"emailAddress": "c@example.com"},
            ],
        )
    )
    assert [receipt.code for receipt in receipts] == ["smtp/5.4.4", "Transient/General", "Transient/General/NoReport"]


@pytest.mark.parametrize("written", ["Ana Silva <ana@example.com>", "<ana@example.com>"])
def test_every_kind_of_event_names_its_recipient_in_any_form(written: str) -> None:
    named = [{"emailAddress": written}]
    delayed = {"timestamp": "2026-11-20T10:10:00Z", "delayType": "General", "delayedRecipients": named}
    never_sent = [event("Reject", reject={}), event("Rendering Failure", failure={})]
    for each in never_sent:
        each["mail"]["destination"] = [written]
    events = [
        bounce(bouncedRecipients=named),
        delivery(recipients=[written]),
        event("Complaint", complaint={"complainedRecipients": named, "timestamp": "2026-11-20T18:12:44Z"}),
        event("DeliveryDelay", deliveryDelay=delayed),
        *never_sent,
    ]
    assert {receipt.address for each in events for receipt in parse_ses_event(each)} == {"ana@example.com"}


def test_a_group_of_addresses_is_a_receipt_for_each() -> None:
    receipts = parse_ses_event(delivery(recipients=["Silvas: ana@example.com, Bruno <bruno@example.com>;"]))
    assert [receipt.address for receipt in receipts] == ["ana@example.com", "bruno@example.com"]


def test_a_bounce_that_names_nobody_means_the_messages_own_address() -> None:
    [receipt] = parse_ses_event(bounce(bouncedRecipients=[]))
    assert receipt.address is None
    assert receipt.key == KEY


def test_the_time_is_the_events_own_and_not_the_emails() -> None:
    [receipt] = parse_ses_event(delivery())
    assert receipt.occurred_at == datetime(2026, 11, 20, 10, 0, 1, tzinfo=UTC)


def test_a_time_with_an_offset_is_turned_into_utc() -> None:
    [receipt] = parse_ses_event(delivery(timestamp="2026-11-20T12:00:01.5+02:00"))
    assert receipt.occurred_at == datetime(2026, 11, 20, 10, 0, 1, 500000, tzinfo=UTC)
    assert receipt.occurred_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("event_type", "part", "detail"),
    [("Reject", {"reject": {"reason": "Bad content"}}, "Bad content"), ("Rendering Failure", {"failure": {}}, None)],
)
def test_what_was_never_sent_takes_time_and_recipients_from_the_email(
    event_type: str, part: dict[str, object], detail: str | None
) -> None:
    [receipt] = parse_ses_event(event(event_type, **part))
    assert receipt.outcome is Outcome.FAILED
    assert receipt.code == event_type
    assert receipt.address == "ana@example.com"
    assert receipt.occurred_at == datetime(2026, 11, 20, 10, 0, 0, 312000, tzinfo=UTC)
    assert receipt.detail == detail


def test_a_delay_keeps_its_type_as_detail_and_has_no_code() -> None:
    [receipt] = parse_ses_event(
        event(
            "DeliveryDelay",
            deliveryDelay={
                "timestamp": "2026-11-20T10:10:00Z",
                "delayType": "MailboxFull",
                "delayedRecipients": [{"emailAddress": "ana@example.com"}],
            },
        )
    )
    assert (receipt.outcome, receipt.code, receipt.detail) == (Outcome.DELAYED, None, "MailboxFull")


@pytest.mark.parametrize(
    ("feedback", "outcomes"), [("abuse", [Outcome.COMPLAINED]), (None, [Outcome.COMPLAINED]), ("not-spam", [])]
)
def test_only_not_spam_is_no_complaint(feedback: str | None, outcomes: list[Outcome]) -> None:
    complaint = {
        "complainedRecipients": [{"emailAddress": "ana@example.com"}],
        "timestamp": "2026-11-20T18:12:44.000Z",
        "complaintFeedbackType": feedback,
    }
    receipts = parse_ses_event(event("Complaint", complaint=complaint))
    assert [receipt.outcome for receipt in receipts] == outcomes


@pytest.mark.parametrize("event_type", ["Send", "Open", "Click", "Subscription", "SomethingNew"])
def test_what_says_nothing_about_arrival_gives_no_receipt(event_type: str) -> None:
    assert parse_ses_event({"eventType": event_type}) == ()


def test_unknown_fields_change_nothing() -> None:
    extended = bounce(newField={"a": 1})
    extended["version"] = "2"
    extended["mail"]["newField"] = []
    assert parse_ses_event(extended) == parse_ses_event(bounce())


def test_a_bounce_type_that_is_not_known_is_passed_on_as_it_is() -> None:
    nobody_said = [{"emailAddress": "ana@example.com", "status": "5.1.1"}]
    [receipt] = parse_ses_event(bounce(bounceSubType="SomethingNew", bouncedRecipients=nobody_said))
    assert receipt.code == "Permanent/SomethingNew"


@pytest.mark.parametrize("part", ["bounceType", "bounceSubType", "bouncedRecipients", "timestamp"])
def test_a_missing_part_of_a_bounce_is_named(part: str) -> None:
    broken = bounce()
    del broken["bounce"][part]
    with pytest.raises(MalformedReceiptError, match=f"bounce.{part}"):
        parse_ses_event(broken)


@pytest.mark.parametrize("part", ["messageId", "destination", "timestamp"])
def test_a_missing_part_of_the_email_is_named(part: str) -> None:
    broken = event("Reject", reject={"reason": "Bad content"})
    del broken["mail"][part]
    with pytest.raises(MalformedReceiptError, match=f"mail.{part}"):
        parse_ses_event(broken)


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"eventType": 7},
        {"eventType": "Bounce"},
        {"eventType": "Bounce", "bounce": [], "mail": {}},
        bounce(bouncedRecipients="ana@example.com"),
        bounce(bouncedRecipients=["ana@example.com"]),
        bounce(bouncedRecipients=[{"address": "ana@example.com"}]),
        bounce(timestamp="when ana@example.com was told"),
        delivery(recipients=[{"emailAddress": "ana@example.com"}]),
    ],
)
def test_what_cannot_be_read_is_an_error_without_personal_data(broken: dict[str, Any]) -> None:
    with pytest.raises(MalformedReceiptError) as raised:
        parse_ses_event(broken)
    assert isinstance(raised.value, ReboundError)
    assert "example.com" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
