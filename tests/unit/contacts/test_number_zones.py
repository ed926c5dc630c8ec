"""Where a phone number may be, by the map of prefixes."""

import re
from importlib.metadata import version
from pathlib import Path
from typing import Final
from zoneinfo import available_timezones

import phonenumbers
import pytest

from rebound.contacts.adapters import number_zones
from rebound.contacts.adapters.number_zones import zones_of_number

MAP: Final = Path(number_zones.__file__).with_name("number_zones.csv").read_text(encoding="utf-8")
ROWS: Final = [line.split(",") for line in MAP.splitlines() if line[:1].isdigit()]


def test_the_map_is_of_the_version_of_libphonenumber_that_is_locked() -> None:
    [found] = re.findall(r"libphonenumber ([0-9.]+)$", MAP, re.MULTILINE)

    assert found == version("phonenumberslite"), "run .venv/bin/python -m local.number_zones"


def test_every_prefix_leads_to_zones_that_there_are() -> None:
    assert len(ROWS) > 3000
    assert len({prefix for prefix, _ in ROWS}) == len(ROWS)
    assert {zone for _, zones in ROWS for zone in zones.split(" ")} <= available_timezones()
    codes = {str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE if code not in NOT_OF_A_COUNTRY}
    assert codes <= {prefix for prefix, _ in ROWS}


NOT_OF_A_COUNTRY: Final = {800, 808, 870, 878, 881, 882, 883, 888, 979}
"""Shared-cost, satellite and the like (ITU-T E.164)."""


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        ("+14155550123", {"America/Los_Angeles"}),
        ("+12125550123", {"America/New_York"}),
        ("+18085550123", {"Pacific/Honolulu"}),
        ("+12042345678", {"America/Chicago"}),
        ("+447911123456", {"Europe/London"}),
        ("+353861234567", {"Europe/London"}),
        ("+4915112345678", {"Europe/Berlin"}),
        ("+34612345678", {"Atlantic/Canary", "Europe/Madrid"}),
        ("+351912345678", {"Atlantic/Azores", "Europe/Lisbon"}),
        ("+5511987654321", {"America/Sao_Paulo"}),
        ("+62812345678", {"Asia/Jakarta"}),
        ("not a number", set()),
        ("+80012345678", set()),
    ],
)
def test_a_number_may_be_where_its_prefix_says(number: str, zones: set[str]) -> None:
    assert zones_of_number(number) == zones


def test_a_mobile_of_a_country_whose_mobiles_have_no_place_may_be_anywhere_in_it() -> None:
    australian = zones_of_number("+61412345678")

    assert {"Australia/Perth", "Australia/Sydney", "Australia/Adelaide", "Australia/Brisbane"} <= australian
    assert zones_of_number("+61298765432") == {"Australia/Sydney"}


@pytest.mark.parametrize("number", ["+18005551234", "+15553000512"], ids=["toll-free", "none"])
def test_a_number_of_which_nobody_knows_where_it_belongs_may_be_anywhere_its_country_code_reaches(number: str) -> None:
    assert {"America/New_York", "Pacific/Honolulu", "Pacific/Guam"} <= zones_of_number(number)
