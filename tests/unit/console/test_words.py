"""The console's words: sentences by name, forms by number, and dates as people there write them."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

import rebound.kernel
from rebound.console.http.words import LANGUAGES, Words

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
