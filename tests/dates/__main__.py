"""``python -m tests.dates``: the suites that need no stack, at one date after the other; 1 when any failed.

``python -m tests.dates --sample`` is what ``make test`` takes: the tests that failed at a date when this was made, and
those that reckon with time most.
"""

import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from tests.dates import Date, dates
from tests.suites import IN_PROCESS, PYTEST, Command

SAMPLE: Final[Mapping[str, Sequence[str]]] = {
    "in-400-days": (
        "tests/integration/platform/test_whole_day.py",
        "tests/integration/api/test_serve_api.py::test_a_campaign_for_later_is_scheduled",
    ),
    "us-spring-before": (
        "tests/integration/sending/test_quiet_hours.py",
        "tests/integration/eligibility/test_caps.py",
        "tests/integration/contacts/test_recovery.py",
    ),
}


def run(tried: Iterable[tuple[Date, Command]]) -> int:
    """Each command at its date."""
    failed: list[str] = []
    for date, command in tried:
        _say(f"{date.name}: {date.at:%d %B %Y, %H:%M} UTC, in {date.zone} …")
        began = time.monotonic()
        done = subprocess.run(command, env=date.environment(), check=False)
        _say(f"{date.name}: {'failed' if done.returncode else 'passed'}, {time.monotonic() - began:.0f} s")
        failed += [date.name] if done.returncode else []
    if failed:
        _say(f"\nFailed at: {', '.join(failed)}")
    return 1 if failed else 0


def _say(what: str) -> None:
    print(what, flush=True)  # noqa: T201 - for whoever is at the terminal


def main() -> int:
    """Run what was asked for."""
    found = {date.name: date for date in dates(datetime.now(UTC))}
    parser = ArgumentParser(description="Run the suites that need no stack at other dates.")
    parser.add_argument("names", nargs="*", help=f"all of them, or some: {', '.join(found)}", metavar="date")
    parser.add_argument("--sample", action="store_true", help="the sample of make test instead")
    given = parser.parse_args()
    if unknown := set(given.names) - found.keys():
        parser.error(f"no such date: {', '.join(sorted(unknown))}")
    if given.sample:
        return run((found[name], (*PYTEST, "-q", *tests)) for name, tests in SAMPLE.items())
    return run((found[name], (*IN_PROCESS, "-q")) for name in given.names or found)


if __name__ == "__main__":
    sys.exit(main())
