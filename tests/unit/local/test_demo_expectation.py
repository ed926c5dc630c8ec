"""What the demo expects of an address, against the twin's public table and the classes of provider codes."""

import pytest

from local.demo.expectation import Flag, email_events, expected_flags, is_flagged, silent_mailboxes, text_events
from local.demo.sample import SampleCustomer


def person(external_id: str, email: str = "", mobile_phone: str = "", *tags: str) -> SampleCustomer:
    return SampleCustomer(external_id, "A", "B", email, mobile_phone, frozenset(tags))


@pytest.mark.parametrize(
    ("address", "events", "flagged"),
    [
        ("ana@example.com", ("Delivery",), False),
        ("success+x@simulator.amazonses.com", ("Delivery",), False),
        ("bounce+x@simulator.amazonses.com", ("Permanent/NoEmail",), True),
        ("bounce+x@example.com", ("Delivery",), False),
        ("complaint+x@simulator.amazonses.com", ("Delivery", "Complaint"), False),
        ("suppressionlist+x@simulator.amazonses.com", ("Permanent/OnAccountSuppressionList",), False),
        ("ooto+x@simulator.amazonses.com", ("Delivery",), False),
        ("mailboxfull+x@twin.example.com", ("Transient/MailboxFull",), True),
        ("transient+x@twin.example.com", ("Transient/General",), False),
        ("contentrejected+x@twin.example.com", ("Transient/ContentRejected",), False),
        ("undetermined+x@twin.example.com", ("Undetermined/Undetermined",), False),
        ("latebounce+x@twin.example.com", ("Delivery", "Permanent/General"), True),
        ("recovers+x@twin.example.com", ("Transient/MailboxFull",), True),
        ("reordered+x@twin.example.com", (), False),
        ("throttled+x@twin.example.com", ("Delivery",), False),
        ("BOUNCE+X@Simulator.AmazonSES.com", ("Permanent/NoEmail",), True),
    ],
)
def test_the_first_email_meets_what_the_table_says(address: str, events: tuple[str, ...], flagged: bool) -> None:
    assert email_events(address) == events
    assert is_flagged(events) is flagged


@pytest.mark.parametrize("kind", ["recovers", "reordered"])
def test_the_second_email_to_these_is_delivered(kind: str) -> None:
    assert email_events(f"{kind}+x@twin.example.com", message=2) == ("Delivery",)


@pytest.mark.parametrize(
    ("number", "events", "flagged"),
    [
        ("+14155550107", ("Delivery",), False),
        ("+14155550108", ("Delivery",), False),
        ("+447700900123", ("Delivery",), False),
        ("+15005550001", ("21211",), True),
        ("+15005550009", ("21614",), True),
        ("+15005550004", ("21610",), False),
        ("+15005550002", ("21612",), False),
        ("+15005550003", ("21408",), False),
        ("+15553000512", ("30005",), True),
        ("+15552163599", ("21635",), True),
        ("+15553000312", ("30003",), False),
        ("+15553000412", ("30004",), False),
        ("+15553999901", ("39999",), False),
        ("+15552050001", ("Delivery",), False),
    ],
)
def test_a_text_meets_what_the_table_says(number: str, events: tuple[str, ...], flagged: bool) -> None:
    assert text_events(number) == events
    assert is_flagged(events) is flagged


def test_out_of_reach_flags_only_the_fifth_time_in_a_row() -> None:
    assert not is_flagged(["30003"] * 4)
    assert is_flagged(["30003"] * 5)
    assert not is_flagged(["30003"] * 4 + ["Delivery"] + ["30003"] * 4)


def test_a_delivery_clears_what_came_before_it() -> None:
    assert not is_flagged(["Permanent/NoEmail", "Delivery"])


def test_a_number_is_found_out_only_when_it_is_texted() -> None:
    people = [person("1", "", "+15553000511", "vip"), person("2", "", "+15553000512")]
    assert expected_flags(people, texted_tag="vip") == {Flag("1", "sms")}


def test_whoever_shares_an_address_shares_its_flag() -> None:
    people = [
        person("1", "bounce+a@simulator.amazonses.com", "+15005550009", "vip"),
        person("2", "bounce+a@simulator.amazonses.com", "+15005550009"),
        person("3"),
    ]
    both = {Flag(who, channel) for who in "12" for channel in ("email", "sms")}
    assert expected_flags(people, texted_tag="vip") == both


def test_only_mailboxes_without_any_word_count_as_silent() -> None:
    people = [person("1", "reordered+a@twin.example.com"), person("2", "ana@example.com"), person("3")]
    assert silent_mailboxes(people) == 1
