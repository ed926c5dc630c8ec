"""The console's words: sentences by name, forms by number, and dates as people there write them."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import phonenumbers
import pytest

import rebound.kernel
from rebound.console.http.words import LANGUAGES, Words
from rebound.kernel.local_time import time_zone

CODES: Final = Path(rebound.kernel.__file__).with_name("provider_codes.csv")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_for_which_an_address_is_flagged_has_words(language: str) -> None:
    with CODES.open(encoding="utf-8") as lines:
        reasons = {row["reason"] for row in csv.DictReader(lines) if row["class"] in ("invalid", "unreachable")}
    words = Words(language)

    assert len(reasons) > 10
    for reason in [*sorted(reasons), "other"]:
        assert words(f"reason.{reason}")


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [("en", 1, "1 customer."), ("en", 1200, "1,200 customers."), ("de", 1200, "1.200 Personen.")],
)
def test_a_number_chooses_its_form_and_is_written_as_people_there_do(language: str, count: int, said: str) -> None:
    assert Words(language)("customers.counted", n=count) == said


def test_what_is_filled_in_is_escaped() -> None:
    said = Words("en")("sign_in.link_about", email="<b>a@example.com", business='"><script>')

    assert "&lt;b&gt;a@example.com" in said
    assert "<script>" not in said


def test_a_time_is_shown_in_the_business_s_zone_with_the_instant_beside_it() -> None:
    said = Words("de", "Europe/Berlin").time(datetime(2026, 7, 1, 22, 30, tzinfo=UTC))

    assert said == '<time datetime="2026-07-01T22:30:00.000Z">02.07.2026, 00:30</time>'


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_country_that_a_business_may_be_in_has_a_name_and_no_other_is_offered(language: str) -> None:
    offered = dict(Words(language).countries())
    assert offered.keys() == phonenumbers.SUPPORTED_REGIONS
    assert all(name and name != code for code, name in offered.items())
    assert len({*offered.values()}) == len(offered)


@pytest.mark.parametrize("language", LANGUAGES)
def test_time_zones_are_offered_by_place_and_each_is_one(language: str) -> None:
    offered = Words(language).zones()
    assert [time_zone(zone) for zone, _ in offered] == [zone for zone, _ in offered]
    assert len(offered) > 350
    assert len({name for _, name in offered}) == len(offered)
    assert not [name for _, name in offered if "_" in name or "/" in name]


@pytest.mark.parametrize(
    ("language", "zone", "name"),
    [
        ("de", "Europe/Lisbon", "Lissabon, Portugal"),
        ("it", "Europe/London", "Londra, Regno Unito"),
        ("en", "America/New_York", "New York, United States"),
        ("en", "Asia/Calcutta", "Kolkata, India"),
        ("en", "Asia/Singapore", "Singapore"),
        ("de", "Etc/GMT+3", "Etc/GMT+3"),
    ],
)
def test_a_time_zone_has_the_name_of_its_place(language: str, zone: str, name: str) -> None:
    assert Words(language).zone_named(zone) == name
    assert (zone, name) in Words(language).zones(zone)


def test_what_is_there_already_can_stay_and_nothing_is_offered_twice() -> None:
    words = Words("de")
    assert words.countries("", "DE") == words.countries()
    assert words.countries("XX")[0] == ("XX", "XX")
    assert dict(words.languages()) == {**dict(words.languages()), "de": "Deutsch", "pt": "Portugiesisch"}
