"""What texts can come from."""

import csv
from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel import text_senders
from rebound.kernel.provider_codes import Provider
from rebound.kernel.text_senders import SenderKind, countries_with_names, kind_of

SERVICE = "MG" + "0a" * 16
ROWS = list(
    csv.DictReader(
        Path(text_senders.__file__).with_name("sender_names.csv").read_text(encoding="utf-8").splitlines(), strict=True
    )
)


@pytest.mark.parametrize(
    ("sender", "kind", "twilio", "sns"),
    [
        ("+14155550100", SenderKind.NUMBER, 1, 20),
        ("+442079460958", SenderKind.NUMBER, 10, 20),
        ("72345", SenderKind.SHORT_CODE, 100, 20),
        ("123", SenderKind.SHORT_CODE, 100, 20),
        (SERVICE, SenderKind.MESSAGING_SERVICE, 10, 20),
        ("Juniper", SenderKind.NAME, 10, 20),
        ("1Salon", SenderKind.NAME, 10, 20),
        ("MG", SenderKind.NAME, 10, 20),
    ],
)
def test_each_kind_is_told_from_the_others_and_has_its_rate(
    sender: str, kind: SenderKind, twilio: float, sns: float
) -> None:
    assert kind_of(sender) is kind
    assert (Provider.TWILIO.traits.rate_of(sender), Provider.SNS.traits.rate_of(sender)) == (twilio, sns)
    assert kind.takes_answers is (kind is not SenderKind.NAME)


@given(st.integers(100, 999_999).map(str))
def test_a_short_code_is_one_in_every_country(code: str) -> None:
    assert kind_of(code) is SenderKind.SHORT_CODE


def test_the_table_has_each_country_once_with_a_source() -> None:
    countries = [row["country"] for row in ROWS]

    assert len(countries) == len(set(countries))
    # Kosovo has no code of ISO's, and no numbering region of its own in the library before XK.
    assert set(countries) <= phonenumbers.SUPPORTED_REGIONS | {"PF", "YT"}
    assert all(row["names"] in {"yes", "registered", "no"} and row["source"] for row in ROWS)


def test_north_america_sends_from_no_names() -> None:
    assert not {"US", "CA", "PR", "VI", "GU"} & countries_with_names()
    assert {"GB", "DE", "FR", "IN", "SG"} <= countries_with_names()
