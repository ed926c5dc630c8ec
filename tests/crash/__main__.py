"""``make crash``: every boundary, in every mode, and pairs of them; a line for each run that ended wrong."""

import os
import random
import sys
import time
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Final

from tests.crash.harness import MODES, Mode, Tale, Violation, stopped_at, stopped_everywhere
from tests.crash.sequence_story import SequenceStory
from tests.crash.story import Story

SHOWN: Final = 20
PAIRS: Final = 250
TOGETHER: Final = 16
EACH: Final = 1000


TALES: Final[Mapping[str, Tale]] = {"a day of campaigns": Story, "a fortnight of sequences": SequenceStory}


def _stopped(mode: Mode, tale: Tale, numbers: Sequence[int]) -> Violation | None:
    return stopped_at(mode, *numbers, tale=tale)


def _say_how_far(runs: int) -> None:
    if runs % EACH == 0:
        print(f"  {runs} runs", file=sys.stderr, flush=True)  # noqa: T201 - a mode takes minutes


def _tried(mode: Mode, name: str) -> tuple[int, int]:
    """All of one mode and one tale: how many runs there were, and how many of them ended wrong."""
    tale = TALES[name]
    began, found = time.monotonic(), 0

    def wrong(where: str, faults: str) -> None:
        nonlocal found
        found += 1
        if found <= SHOWN:
            print(f"[{mode.name}] stopped {where}: {faults}", flush=True)  # noqa: T201 - for whoever is at the terminal

    reached = stopped_everywhere(mode, wrong, _say_how_far, tale)
    chance = random.Random(0)  # noqa: S311 - the same in every run
    pairs = [tuple(chance.sample(range(len(reached)), 2)) for _ in range(PAIRS)]
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        for violation in filter(None, workers.map(partial(_stopped, mode, tale), pairs, chunksize=TOGETHER)):
            wrong(" and ".join(map(str, violation.stopped)), "; ".join(violation.faults))
    kinds = len({here.kind for here in reached})
    print(  # noqa: T201
        f"{name}, {mode.name}: {len(reached)} boundaries of {kinds} kinds, {PAIRS} pairs, {found} violations, "
        f"{time.monotonic() - began:.0f} s",
        flush=True,
    )
    return len(reached) + PAIRS, found


def main() -> int:
    """Run everything, or the modes asked for; 1 when something was wrong."""
    options = ArgumentParser(description="Stop a worker at every boundary.")
    options.add_argument("--mode", type=int, choices=range(len(MODES)), action="append", help="only this one of them")
    given = options.parse_args()
    tried = [_tried(MODES[number], name) for name in TALES for number in given.mode or range(len(MODES))]
    print(f"{sum(runs for runs, _ in tried)} runs, {sum(found for _, found in tried)} violations")  # noqa: T201
    return 1 if any(found for _, found in tried) else 0


if __name__ == "__main__":
    sys.exit(main())
