"""The twin's public table: every row, and that nothing else has a special fate."""

import pytest

from local.twin.outcomes import (
    COMPLAINED,
    DELIVERED,
    BounceKind,
    EmailOutcome,
    TextStatus,
    bounced,
    plan_email,
    plan_text,
    remembers,
    sns_provider_response,
)

SENT, DONE, UNDELIVERED = TextStatus.SENT, TextStatus.DELIVERED, TextStatus.UNDELIVERED


@pytest.mark.parametrize(
    ("address", "outcomes"),
    [
        ("ana@example.com", (DELIVERED,)),
        ("bounce+1@example.com", (DELIVERED,)),
        ("bounce+1@twin.example.com", (DELIVERED,)),
        ("mailboxfull+1@simulator.amazonses.com", (DELIVERED,)),
        ("success+1@simulator.amazonses.com", (DELIVERED,)),
        ("success@simulator.amazonses.com", (DELIVERED,)),
        ("bounce+1@simulator.amazonses.com", (bounced(BounceKind.NO_EMAIL),)),
        ("Bounce+1@Simulator.AmazonSES.com", (bounced(BounceKind.NO_EMAIL),)),
        ("complaint+1@simulator.amazonses.com", (DELIVERED, COMPLAINED)),
        ("suppressionlist+1@simulator.amazonses.com", (bounced(BounceKind.ON_ACCOUNT_SUPPRESSION_LIST),)),
        ("ooto+1@simulator.amazonses.com", (DELIVERED,)),
        ("mailboxfull+1@twin.example.com", (bounced(BounceKind.MAILBOX_FULL),)),
        ("transient+1@twin.example.com", (bounced(BounceKind.TRANSIENT),)),
        ("contentrejected+1@twin.example.com", (bounced(BounceKind.CONTENT_REJECTED),)),
        ("undetermined+1@twin.example.com", (bounced(BounceKind.UNDETERMINED),)),
        ("latebounce+1@twin.example.com", (DELIVERED, bounced(BounceKind.GENERAL))),
    ],
)
def test_the_address_decides_what_becomes_of_an_email(address: str, outcomes: tuple[EmailOutcome, ...]) -> None:
    plan = plan_email(address, attempts=3, accepted=3)
    assert plan.outcomes == outcomes
    assert not plan.throttled
    assert not plan.held
    assert not remembers(address)


def test_a_recovering_mailbox_is_full_for_the_first_message_only() -> None:
    address = "recovers+1@twin.example.com"
    assert remembers(address)
    assert plan_email(address, attempts=5, accepted=0).outcomes == (bounced(BounceKind.MAILBOX_FULL),)
    assert plan_email(address, attempts=6, accepted=1).outcomes == (DELIVERED,)


def test_a_reordering_address_holds_the_first_bounce_back() -> None:
    address = "reordered+1@twin.example.com"
    first = plan_email(address, accepted=0)
    assert first.outcomes == ()
    assert first.held == (bounced(BounceKind.GENERAL),)
    later = plan_email(address, accepted=1)
    assert later.outcomes == (DELIVERED,)
    assert later.held == ()


def test_a_throttling_address_refuses_its_first_attempt_only() -> None:
    address = "throttled+1@twin.example.com"
    assert plan_email(address, attempts=0).throttled
    assert not plan_email(address, attempts=1).throttled
    assert plan_email(address, attempts=1).outcomes == (DELIVERED,)


@pytest.mark.parametrize(
    ("number", "statuses"),
    [
        ("+14155550123", (SENT, DONE)),
        ("+14155550127", (DONE, SENT)),
        ("+14155550128", (SENT, DONE, SENT, DONE)),
        ("+15550000012", (SENT, DONE)),
        ("+15005550006", (SENT, DONE)),
    ],
)
def test_an_ordinary_number_gets_its_text(number: str, statuses: tuple[TextStatus, ...]) -> None:
    plan = plan_text(number)
    assert plan.statuses == statuses
    assert plan.refused_with is None
    assert plan.error_code is None
    assert not plan.crashes


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("+15005550001", 21211),
        ("+15005550009", 21614),
        ("+15005550004", 21610),
        ("+15005550002", 21612),
        ("+15005550003", 21408),
    ],
)
def test_the_magic_numbers_are_refused(number: str, code: int) -> None:
    assert plan_text(number).refused_with == code
    assert plan_text(number).statuses == ()


@pytest.mark.parametrize(
    ("number", "code"),
    [("+15553000512", 30005), ("+15553000517", 30005), ("+15556303308", 63033), ("+15559999900", 99999)],
)
def test_a_number_may_carry_the_code_it_fails_with(number: str, code: int) -> None:
    plan = plan_text(number)
    assert plan.statuses == (UNDELIVERED,)
    assert plan.error_code == code


def test_one_number_fails_the_call_after_the_text_went_out() -> None:
    assert plan_text("+15552050001").crashes
    assert plan_text("+15552050001").statuses == (SENT, DONE)
    # Only that number: its neighbour carries code 20500.
    assert plan_text("+15552050002").error_code == 20500


@pytest.mark.parametrize(
    ("number", "response"),
    [
        ("+14155550123", "Message has been accepted by phone carrier"),
        ("+15552050001", "Message has been accepted by phone carrier"),
        ("+15005550001", "Invalid phone number"),
        ("+15552121112", "Invalid phone number"),
        ("+15552161412", "Invalid phone number"),
        ("+15552163512", "Invalid phone number"),
        ("+15553000512", "Invalid phone number"),
        ("+15553000312", "Phone is currently unreachable/unavailable"),
        ("+15553000612", "Phone is currently unreachable/unavailable"),
        ("+15552161012", "Phone number is opted out"),
        ("+15553000712", "Blocked as spam by phone carrier"),
        ("+15559999912", "Unknown error attempting to reach phone"),
    ],
)
def test_sns_tells_the_same_fate_in_its_own_words(number: str, response: str) -> None:
    assert sns_provider_response(plan_text(number)) == response
