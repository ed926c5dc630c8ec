"""The sample customers are what their makers promise, and the demo reads them as they are meant."""

import csv
import io
import unicodedata
from collections import Counter

import phonenumbers
import pytest
from email_validator import validate_email

from local.demo.expectation import email_events, is_flagged, text_events
from local.demo.sample import SAMPLE_FILE, e164, parse, relabelled, replacement_mailbox
from local.samples.make_salon_customers import COLUMNS, CUSTOMERS, sample_text

TEXT = SAMPLE_FILE.read_text(encoding="utf-8")
PEOPLE = parse(TEXT)
ROWS = list(csv.DictReader(io.StringIO(TEXT)))
ORDINARY_DOMAINS = {"example.com", "example.org", "example.net"}
MAILBOXES_OF_THE_TABLE = {
    f"{kind}@{domain}"
    for domain, kinds in {
        "simulator.amazonses.com": "success bounce complaint suppressionlist ooto",
        "twin.example.com": (
            "mailboxfull transient contentrejected undetermined latebounce recovers reordered throttled"
        ),
    }.items()
    for kind in kinds.split()
}


def test_the_file_is_what_its_generator_writes() -> None:
    assert sample_text() == TEXT


def test_there_are_as_many_customers_as_promised_each_with_an_id_and_both_names() -> None:
    assert len(ROWS) == CUSTOMERS
    assert len(ROWS) >= 2_000
    assert tuple(ROWS[0].keys()) == COLUMNS
    assert len({row["external_id"] for row in ROWS}) == CUSTOMERS
    assert all(row["first_name"] and row["last_name"] for row in ROWS)


def test_every_phone_number_is_possible_and_read_by_the_demo_as_by_the_library() -> None:
    numbers = {row[column] for row in ROWS for column in ("mobile_phone", "day_phone", "night_phone") if row[column]}
    for written in numbers:
        number = phonenumbers.parse(written, "US")
        assert phonenumbers.is_possible_number(number), written
        assert e164(written) == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def test_every_mailbox_is_well_formed_and_at_no_real_domain() -> None:
    for who in PEOPLE:
        if who.email:
            assert validate_email(who.email, check_deliverability=False).ascii_email == who.email
            domain = who.email.rpartition("@")[2]
            assert domain in ORDINARY_DOMAINS | {"simulator.amazonses.com", "twin.example.com"}


def test_ordinary_numbers_are_from_ranges_kept_for_fiction() -> None:
    for row in ROWS:
        for column in ("mobile_phone", "day_phone", "night_phone"):
            number = e164(row[column])
            if number and not number.startswith(("+1500555", "+1555")):
                assert number[5:10] == "55501" or number.startswith(("+447700900", "+33639980")), number


def test_every_row_of_the_twins_table_has_a_share() -> None:
    kinds = Counter(who.email.replace("+", "@", 1).split("@")[0] + "@" + who.email.rpartition("@")[2] for who in PEOPLE)
    assert kinds.keys() >= MAILBOXES_OF_THE_TABLE
    vips = {who.mobile_phone for who in PEOPLE if "vip" in who.tags}
    assert {f"+1500555000{last}" for last in (1, 2, 3, 4, 9)} <= vips
    assert "+15552050001" in vips
    assert {"30003", "30004", "30005", "30006", "30007", "39999"} <= {text_events(number)[0] for number in vips}
    ordinary = [number for number in vips if number.startswith("+1") and text_events(number) == ("Delivery",)]
    assert any(number.endswith("7") for number in ordinary)
    assert any(number.endswith("8") for number in ordinary)


def test_most_customers_have_nothing_special_about_them() -> None:
    ordinary = [
        who
        for who in PEOPLE
        if who.email.rpartition("@")[2] in ORDINARY_DOMAINS | {""} and text_events(who.mobile_phone) == ("Delivery",)
    ]
    assert len(ordinary) >= 0.85 * len(PEOPLE)


def test_some_have_no_mailbox_some_no_mobile_and_some_share_either() -> None:
    mailboxes = Counter(who.email for who in PEOPLE)
    numbers = Counter(who.mobile_phone for who in PEOPLE)
    assert 50 <= mailboxes.pop("") <= 200
    assert 50 <= numbers.pop("") <= 300
    assert 10 <= sum(1 for held_by in mailboxes.values() if held_by > 1) <= 60
    assert 10 <= sum(1 for held_by in numbers.values() if held_by > 1) <= 60


def test_a_mailbox_that_remembers_belongs_to_one_customer() -> None:
    mailboxes = Counter(who.email for who in PEOPLE)
    remembering = [address for address in mailboxes if address.startswith(("recovers+", "reordered+", "throttled+"))]
    assert all(mailboxes[address] == 1 for address in remembering)


def test_names_come_in_many_scripts_and_spellings() -> None:
    letters = set("".join(who.first_name + who.last_name for who in PEOPLE))
    assert set("éñøłßş'-") <= letters
    scripts = {unicodedata.name(letter).split(" ")[0] for letter in letters}
    assert {"CYRILLIC", "GREEK", "CJK", "HIRAGANA", "HANGUL", "ARABIC", "HEBREW", "DEVANAGARI"} <= scripts


def test_new_labels_change_the_test_mailboxes_and_nothing_else() -> None:
    again = parse(relabelled(TEXT, "r2"))
    assert [who.external_id for who in again] == [who.external_id for who in PEOPLE]
    for old, new in zip(PEOPLE, again, strict=True):
        if old.email.rpartition("@")[2] in ORDINARY_DOMAINS | {""}:
            assert new == old
        else:
            assert new.email == old.email.replace("@", ".r2@")
            assert is_flagged(email_events(new.email)) is is_flagged(email_events(old.email))


@pytest.mark.parametrize(
    ("address", "replacement"),
    [
        ("bounce+ana.7@simulator.amazonses.com", "ana.7@example.com"),
        ("bounce+bo.8@simulator.amazonses.com", "bo.8-2@example.com"),
        ("odd@example.com", "new.address@example.com"),
    ],
)
def test_a_corrected_mailbox_is_an_ordinary_one_that_nobody_has(address: str, replacement: str) -> None:
    assert replacement_mailbox(address, ["bo.8@example.com"]) == replacement
