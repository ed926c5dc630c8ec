"""Writes number_zones.csv: in which time zones a phone number may be, by its first digits.

The map is libphonenumber's, as the package `phonenumbers` has it in the version of `phonenumberslite` that is locked.
That package has it beside 17 MB of places and carriers, so only the map is taken. Run it after a new version is locked:

    .venv/bin/python -m local.number_zones
"""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import phonenumbers

type Zones = tuple[str, ...]

PACKAGE: Final = "phonenumberslite"
MAP: Final = "phonenumbers/tzdata/data0.py"
WRITTEN: Final = Path(__file__).parents[1] / "layers/common/rebound/contacts/adapters/number_zones.csv"
FIRST: Final = datetime(2026, 1, 1, tzinfo=UTC)
LOOKED_AT: Final = [FIRST + timedelta(days=n) for n in range(365 * 11)]
HEAD: Final = """\
# The first digits of phone numbers (country code first) and the time zones in which numbers with them may be. The
# longest match counts. Written by local/number_zones.py from the map of libphonenumber {version}
# (https://github.com/google/libphonenumber, Apache License 2.0); of a country code's zones whose clocks show the same
# from 2026 to 2036, the one with the most prefixes stands for all.
prefix,zones
"""


def download(wanted: str) -> Mapping[str, Zones]:
    """The map by prefix."""
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
        subprocess.run([*command, f"phonenumbers=={wanted}"], check=True)  # noqa: S603 - our own arguments
        [wheel] = Path(folder).glob("*.whl")
        with ZipFile(wheel) as archive:
            module = ast.parse(archive.read(MAP))
    [by_prefix] = [ast.literal_eval(node.value) for node in module.body if isinstance(node, ast.Assign)]
    found: Mapping[str, Zones] = by_prefix
    return found


@cache
def clock(zone: str) -> Sequence[timedelta | None]:
    """What tells a zone from others: its offset on every day of ten years."""
    return tuple(at.astimezone(ZoneInfo(zone)).utcoffset() for at in LOOKED_AT)


def named_once(by_prefix: Mapping[str, Zones]) -> Mapping[str, Zones]:
    """The map with one name, in each country code, for zones whose clocks show the same; and sorted."""
    everywhere = Counter(zone for zones in by_prefix.values() for zone in zones)
    found: dict[str, Zones] = {}
    for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        own = {prefix: zones for prefix, zones in by_prefix.items() if prefix.startswith(str(code))}
        weight = Counter(zone for zones in own.values() for zone in zones if len(zones) == 1)
        names: dict[object, str] = {}
        by_weight = sorted((-weight[zone], -everywhere[zone], zone) for zones in own.values() for zone in zones)
        for _, _, zone in by_weight:
            names.setdefault(clock(zone), zone)
        found |= {prefix: tuple(sorted({names[clock(zone)] for zone in zones})) for prefix, zones in own.items()}
    return found


def needed(by_prefix: Mapping[str, Zones]) -> Iterator[tuple[str, Zones]]:
    """The prefixes that say something else than the longest shorter one."""
    for prefix, zones in sorted(by_prefix.items()):
        shorter = next((by_prefix[prefix[:n]] for n in range(len(prefix) - 1, 0, -1) if prefix[:n] in by_prefix), None)
        if zones != shorter:
            yield prefix, zones


def main() -> None:
    """Write the file."""
    wanted = version(PACKAGE)
    rows = [f"{prefix},{' '.join(zones)}\n" for prefix, zones in needed(named_once(download(wanted)))]
    WRITTEN.write_text(HEAD.format(version=wanted) + "".join(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
