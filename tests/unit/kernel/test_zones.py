"""A time zone is that of a place, or UTC."""

from zoneinfo import ZoneInfo, available_timezones

import pytest

from rebound.kernel.local_time import time_zone


@pytest.mark.parametrize("name", sorted({"UTC", *(each for each in available_timezones() if "/" in each)}))
def test_the_zone_of_a_place_is_one(name: str) -> None:
    assert ZoneInfo(time_zone(name)).key == name


@pytest.mark.parametrize(
    "name",
    [
        *("posixrules", "Factory", "localtime", "EST5EDT", "", "utc", "Mars/Olympus", "../etc", "/etc/passwd"),
        *("posix/Zulu", "america/new_york", "America", "x" * 5000, "America/New_York\n"),
    ],
)
def test_what_is_no_place_is_no_zone(name: str) -> None:
    with pytest.raises(ValueError, match="place, such as America/New_York"):
        time_zone(name)
