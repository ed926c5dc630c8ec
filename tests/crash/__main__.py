"""``make crash``: every boundary, in every mode, and pairs of them; a line for each run that ended wrong."""

import os
import random
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Final

from tests.crash.harness import MODES, Mode, Violation, boundaries, stopped_at

SHOWN: Final = 20
PAIRS: Final = 250
TOGETHER: Final = 16


def _stopped(mode: Mode, numbers: Sequence[int]) -> Violation | None:
    return stopped_at(mode, *numbers)


def main() -> int:
    """Run everything; 1 when something was wrong."""
    began = time.monotonic()
    runs, violations = 0, list[Violation]()
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        for mode in MODES:
            reached = boundaries(mode)
            chance = random.Random(0)  # noqa: S311 - the same in every run
            pairs = [tuple(chance.sample(range(len(reached)), 2)) for _ in range(PAIRS)]
            plan = [*((number,) for number in range(len(reached))), *pairs]
            found = []
            for wrong in filter(None, workers.map(partial(_stopped, mode), plan, chunksize=TOGETHER)):
                found.append(wrong)
                if len(violations) + len(found) <= SHOWN:
                    print(wrong, flush=True)  # noqa: T201
            kinds = len({here.kind for here in reached})
            print(  # noqa: T201 - for whoever is at the terminal
                f"{mode.name}: {len(reached)} boundaries of {kinds} kinds, {PAIRS} pairs, {len(plan)} runs, "
                f"{len(found)} violations",
                flush=True,
            )
            runs += len(plan)
            violations += found
    print(f"{runs} runs, {len(violations)} violations, {time.monotonic() - began:.0f} s")  # noqa: T201
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
