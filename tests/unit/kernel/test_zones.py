"""A time zone is one that exists, by its own name."""

from zoneinfo import ZoneInfo, available_timezones

import pytest

from rebound.kernel.local_time import time_zone


@pytest.mark.parametrize("name", sorted(available_timezones() - {"Factory", "localtime", "posixrules"}))
def test_every_zone_is_one(name: str) -> None:
    assert ZoneInfo(time_zone(name)).key == name


@pytest.mark.parametrize(
    "name",
    [
        *("posixrules", "Factory", "localtime", "", "utc", "Mars/Olympus", "../etc", "/etc/passwd"),
        *("posix/Zulu", "right/Europe/Berlin", "america/new_york", "America", "x" * 5000, "America/New_York\n"),
    ],
)
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="such as America/New_York"):
        time_zone(name)
