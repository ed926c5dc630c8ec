"""``python -m tests.crash.deployed``: the functions as they are deployed, stopped at requests to AWS.

One call of a port may be several requests, so this goes one level deeper than the story does: the real handlers over
the real adapters, and every request on its way to AWS, and back, is a boundary. A run forks at each boundary that is
to be tried: the child is the deployment in which the function stopped there, its parent goes on, so nothing has to
happen twice in the same way, and a new request is covered by itself.

``before`` and ``after``  the function dies, with everything that it kept in memory
``lost``                  the answer is lost on its way back, and the client asks again, as botocore does
"""

import sys
import time
from argparse import ArgumentParser
from collections import Counter
from dataclasses import dataclass, field
from typing import Final
from unittest.mock import patch

from botocore.exceptions import ConnectionClosedError

from tests.crash.forking import Forks
from tests.fakes.deployed_day import DeployedDay
from tests.fakes.deployment import AwsCall, Deployment, FunctionDiedError

SHOWN: Final = 20
SENDS: Final = frozenset({"SendBulkEmail", "Publish", "CreateMessage"})
"""Asked once only: an answer that is lost there is the day's own ``lost``."""


@dataclass
class Crashes:
    """The boundaries of one run, and a child process for each that is tried."""

    most: int
    """How many boundaries of a kind are tried; 0 is all of them."""
    every: int
    """Of the kinds, each so many-th."""
    violations: list[str] = field(default_factory=list)
    seen: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    died: str | None = None
    """In a child: the function that was stopped. ``None`` in the parent."""
    playing: bool = False
    _kinds: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.forks = Forks(self._wrong)

    def watch(self, call: AwsCall, side: str) -> None:
        """At each request: perhaps become the deployment in which the function stops here."""
        if not self.playing or self.died is not None:
            return
        kinds = ["before"] if side == "before" else ["after"] if call.operation in SENDS else ["after", "lost"]
        for how in kinds:
            kind = (call.function, str(call), how)
            self.seen[kind] += 1
            if not self._tried(kind) or not self.forks.here(" ".join(kind) + f", time {self.seen[kind]}"):
                continue
            self.died = call.function
            if how == "lost":
                raise ConnectionClosedError(endpoint_url=call.request.url)
            raise FunctionDiedError

    def _tried(self, kind: tuple[str, str, str]) -> bool:
        number = self._kinds.setdefault(kind, len(self._kinds))
        return number % self.every == 0 and (self.most == 0 or self.seen[kind] <= self.most)

    def _wrong(self, where: str, faults: str) -> None:
        self.violations.append(f"stopped {where}: {faults}")
        if len(self.violations) <= SHOWN:
            print(self.violations[-1], flush=True)  # noqa: T201 - for whoever is at the terminal


def run(most: int, every: int) -> Crashes:
    """The day, with its children."""
    crashes = Crashes(most, every)
    with Deployment(crashes.watch) as deployment, patch("time.sleep", lambda _: None):
        day = DeployedDay(deployment)
        day.prepare()
        crashes.playing = True
        try:
            day.play()
            faults = day.faults(crashes.died or "")
        except Exception as error:  # noqa: BLE001 - whatever it is, the run did not end well
            faults = [f"{type(error).__name__}: {error}"]
        crashes.playing = False
        if crashes.forks.is_child:
            crashes.forks.end(faults)
        crashes.forks.wait()
        if faults:
            crashes.violations.append(f"nobody was stopped: {faults}")
            print(crashes.violations[-1])  # noqa: T201
    return crashes


def main() -> int:
    """Run; 1 when something was wrong."""
    options = ArgumentParser(description="Stop deployed functions at requests to AWS.")
    options.add_argument("--most", type=int, default=1, help="boundaries of each kind, 0 for all")
    options.add_argument("--every", type=int, default=1, help="each so many-th kind only")
    given = options.parse_args()
    began = time.monotonic()
    crashes = run(given.most, given.every)
    print(  # noqa: T201
        f"requests to AWS: {sum(crashes.seen.values())} boundaries of {len(crashes.seen)} kinds, "
        f"{crashes.forks.runs} runs, {len(crashes.violations)} violations, {time.monotonic() - began:.0f} s"
    )
    return 1 if crashes.violations or not crashes.forks.runs else 0


if __name__ == "__main__":
    sys.exit(main())
