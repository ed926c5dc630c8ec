"""``make mutate``: plants a sample of faults in the heart and writes what became of each; goes on where it stopped.

Each fault is tried by the tests that reach its place, quickest first, until one fails or ``--budget`` seconds of them
are over. What is noticed only by later tests counts as not noticed.
"""

import json
import os
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pytest

from tests.fakes.aws import REPOSITORY
from tests.mutation import heart
from tests.mutation.mutants import Mutant, mutants_of, sampled
from tests.mutation.reach import Reach
from tests.mutation.server import BROKEN, CONTROL, NOTICED, PATIENCE, SURVIVED, TOO_SLOW, UNDECIDED, Server, Trial
from tests.suites import IN_PROCESS

SEED: Final = 20261129
SIZE: Final = 1500
FOLDER: Final = REPOSITORY / ".local" / "mutation"
NOT_OF_THE_HEART: Final = ("tests/unit/local", "tests/unit/benchmarks", "tests/unit/suites", "tests/contract/project")
SUITES: Final = (
    *(part for part in IN_PROCESS if part.startswith("tests/")),
    *(f"--ignore={folder}" for folder in NOT_OF_THE_HEART),
)
QUIET: Final = ("-q", "-p", "no:cacheprovider", "--no-header", "--no-summary")
SLOWER: Final = 5.0
"""A fault may make its tests so many times slower, and ten seconds more, before it counts as an endless loop."""
KEENEST: Final = 6
"""So many tests are tried first that have noticed other faults of the same function or module, the keenest first."""
OF_ALL_MODULES: Final = "tests/contract/platform/test_what_is_stored.py::"
"""What looks at what modules define, and runs no line of theirs: tried for every fault at the level of a module."""
NOT_REACHED: Final = "reached by no test"


@dataclass(frozen=True, slots=True)
class Known:
    """What a run of all tests found: which reach a line, and how long each takes."""

    tests: Sequence[str]
    seconds: Sequence[float]
    lines: Mapping[str, Sequence[int]]
    failed: frozenset[str]

    @classmethod
    def read(cls, path: Path) -> "Known":
        """As ``Reach`` has written it."""
        found = json.loads(path.read_text(encoding="utf-8"))
        return cls(found["tests"], found["seconds"], found["lines"], frozenset(found["failed"]))


class Chooser:
    """Chooses the tests for a fault."""

    def __init__(self, known: Known, results: "Results", budget: float) -> None:
        self._known = known
        self._results = results
        self._budget = budget

    def trial(self, mutant: Mutant, names: Sequence[str]) -> Trial:
        """The tests that reach the fault, those of its own capability and the quickest first."""
        path = str(heart.path_of(mutant.module))
        if mutant.function:
            reaching = set(self._known.lines.get(f"{path}:{mutant.line}", ())) or self._of_function(mutant, path)
        else:
            reaching = self._of_names(mutant, path, names)
            reaching |= {n for n, test in enumerate(self._known.tests) if test.startswith(OF_ALL_MODULES)}
        keen = self._results.noticed_by(mutant)
        order = sorted(reaching, key=lambda number: self._order(mutant, number, keen))
        chosen, left = list[int](), self._budget
        for number in order:
            seconds = self._known.seconds[number]
            if self._known.tests[number] in self._known.failed or (chosen and seconds > left):
                continue
            chosen.append(number)
            left -= seconds
        first = [number for number in chosen if keen[self._known.tests[number]]][:KEENEST]
        rest = self._by_file([number for number in chosen if number not in first])
        tests = [self._known.tests[number] for number in (*first, *rest)]
        return Trial(mutant, tests, (self._budget - left) * SLOWER + 10)

    def control(self, mutants: Sequence[Mutant]) -> Trial:
        """Some of the tests of the first faults, with nothing planted."""
        trials = [self.trial(mutant, ()) for mutant in mutants[:10]]
        tests = list(dict.fromkeys(test for trial in trials for test in trial.tests))
        return Trial(CONTROL, tests, sum(trial.most_seconds for trial in trials))

    def _by_file(self, chosen: Sequence[int]) -> Iterator[int]:
        """A file's tests one after the other, in their own order, so that its fixtures are made once."""
        groups: defaultdict[str, list[int]] = defaultdict(list)
        for number in chosen:
            groups[self._known.tests[number].partition("::")[0]].append(number)
        for group in groups.values():
            yield from sorted(group)

    def _order(self, mutant: Mutant, number: int, keen: Counter[str]) -> tuple[int, int, float]:
        test = self._known.tests[number]
        if keen[test]:
            return -1, -keen[test], 0.0
        own = f"/{mutant.module.partition('.')[0]}/" in test
        rank = 0 if own and not test.startswith("tests/integration") else 2 if "integration" in test else 1
        seconds = self._known.seconds[number]
        # The suites of ports run over four kinds of tables, of which two are there for what the tables do.
        return (3 if seconds >= 1 or "[busy" in test or "[benchmarks" in test else rank), 0, seconds

    def _of_function(self, mutant: Mutant, path: str) -> set[int]:
        """The tests that reach any line near by, where the line itself has no code of its own."""
        same = [m.line for m, _ in mutants_of(mutant.module, Path(path)) if m.function == mutant.function]
        lines = range(min(same), max(same) + 1)
        return {number for line in lines for number in self._known.lines.get(f"{path}:{line}", ())}

    def _of_names(self, mutant: Mutant, path: str, names: Sequence[str]) -> set[int]:
        """The tests that reach a line on which one of the names stands, or else any of the module."""
        mentioned: set[int] = set()
        for line, tests in self._known.lines.items():
            file, _, number = line.rpartition(":")
            if any(name in self._text(file)[int(number) - 1] for name in names):
                mentioned.update(tests)
        own = {n for line, tests in self._known.lines.items() if line.rpartition(":")[0] == path for n in tests}
        capability = f"/{mutant.module.partition('.')[0]}/"
        return (
            mentioned & own or mentioned or own or {n for n, test in enumerate(self._known.tests) if capability in test}
        )

    def _text(self, file: str) -> Sequence[str]:
        if file not in self._texts:
            self._texts[file] = Path(file).read_text(encoding="utf-8").splitlines()
        return self._texts[file]

    @cached_property
    def _texts(self) -> dict[str, Sequence[str]]:
        return {}


class Results:
    """One line of JSON for each fault that was tried, added to a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: dict[str, dict[str, Any]] = {}
        self._keen: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                found = json.loads(line)
                self._remember(found)

    def _remember(self, found: dict[str, Any]) -> None:
        self.known[found["name"]] = found
        if found["verdict"] == NOTICED and found["function"]:
            self._keen[found["module"], ""][found["by"]] += 1
            self._keen[found["module"], found["function"]][found["by"]] += 1000

    def noticed_by(self, mutant: Mutant) -> Counter[str]:
        """The tests that have noticed other faults of the module; those of the same function weigh much more."""
        return self._keen[mutant.module, ""] + self._keen[mutant.module, mutant.function]

    def add(self, mutant: Mutant, verdict: str, by: str, seconds: float) -> None:
        """What became of a fault."""
        found = {**asdict(mutant), "verdict": verdict, "by": by, "seconds": round(seconds, 2)}
        self._remember(found)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(found, ensure_ascii=False) + "\n")


def _reached(into: Path) -> int:
    heart.load()
    return int(pytest.main([*QUIET, *SUITES], plugins=[Reach(heart.paths(), into)]))


def _chosen(given: Namespace) -> Sequence[tuple[Mutant, Sequence[str]]]:
    modules = [module for module in heart.HEART if not given.only or module in given.only]
    everything = {m.name: (m, names) for module in modules for m, names in mutants_of(module, heart.path_of(module))}
    mutants = sampled([mutant for mutant, _ in everything.values()], given.size, given.seed)
    return [everything[mutant.name] for mutant in mutants]


def _say(what: str) -> None:
    print(what, file=sys.__stdout__, flush=True)


def _plant(given: Namespace, results: Results, chosen: Sequence[tuple[Mutant, Sequence[str]]]) -> None:
    """Try the faults that are in functions; those at module level are tried one process each."""
    chooser = Chooser(Known.read(given.reach), results, given.budget)
    until = time.monotonic() + given.minutes * 60 if given.minutes else None
    at_module_level: list[Trial] = []

    def trials() -> Iterator[Trial]:
        yield chooser.control([mutant for mutant, _ in chosen])
        for mutant, names in chosen:
            if until is not None and time.monotonic() > until:
                return
            trial = chooser.trial(mutant, names)
            if not trial.tests:
                results.add(mutant, NOT_REACHED, "", 0)
            elif mutant.function:
                yield trial
            else:
                at_module_level.append(trial)

    def answer(mutant: Mutant, verdict: str, by: str, seconds: float) -> None:
        if mutant is CONTROL:
            if verdict != SURVIVED:
                # Nobody else would say it: what reports is not there when trials run.
                _say(f"A test fails with nothing planted, or ran too long on a busy machine: {by or verdict}")
                pytest.exit("A test fails with nothing planted.")
        elif verdict == BROKEN:
            at_module_level.append(chooser.trial(mutant, ()))
        else:
            results.add(mutant, verdict, by, seconds)

    if chosen:
        heart.load()
        pytest.main([*QUIET, *SUITES], plugins=[Server(trials(), answer, given.workers)])
    with ThreadPoolExecutor(given.workers) as pool:
        for trial in at_module_level:
            pool.submit(_try_in_new_process, trial, results, until)


def _try_in_new_process(trial: Trial, results: Results, until: float | None) -> None:
    if until is not None and time.monotonic() > until:
        return
    command = [sys.executable, "-m", "tests.mutation.planted", trial.mutant.module, trial.mutant.name]
    began = time.monotonic()
    try:
        done = subprocess.run(
            command,
            check=False,
            input="\n".join(trial.tests),
            text=True,
            capture_output=True,
            timeout=trial.most_seconds * PATIENCE,
        )
    except subprocess.TimeoutExpired:
        results.add(trial.mutant, UNDECIDED, "", time.monotonic() - began)
        return
    verdict = SURVIVED if done.returncode == 0 else NOTICED
    by = next((line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))), done.stderr[-300:])
    results.add(
        trial.mutant, verdict, by if verdict == NOTICED else f"{len(trial.tests)} tests", time.monotonic() - began
    )


def _report(results: Results, chosen: Sequence[tuple[Mutant, Sequence[str]]]) -> None:
    found = [results.known[mutant.name] for mutant, _ in chosen if mutant.name in results.known]
    by_module: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for each in found:
        by_module[each["module"]][each["verdict"]] += 1
    for module, counts in sorted(by_module.items()):
        _say(f"{module:50} {sum(counts.values()):5} {dict(counts)}")
    for each in found:
        if each["verdict"] in {SURVIVED, NOT_REACHED, UNDECIDED}:
            _say(f"{each['verdict']}: {each['module']}:{each['line']} {each['operator']}: {each['says']}")
    counts = Counter(each["verdict"] for each in found)
    noticed = counts[NOTICED] + counts[TOO_SLOW]
    _say(f"{len(found)} of {len(chosen)} tried, {dict(counts)}; noticed {noticed / max(len(found), 1):.1%}")


def main() -> int:
    """Run what was asked for."""
    parser = ArgumentParser(description="Plant faults in the heart, and see whether the tests notice.")
    parser.add_argument("--size", type=int, default=SIZE, help="how many faults (default %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="of the sample (default %(default)s)")
    parser.add_argument("--only", action="append", metavar="module", help="of this module only, such as rates.domain")
    parser.add_argument("--budget", type=float, default=8, help="seconds of tests for a fault (default %(default)s)")
    parser.add_argument("--minutes", type=float, help="stop after so many; the next run goes on")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--again", action="store_true", help="try those again that no test noticed")
    parser.add_argument("--report", action="store_true", help="only say what is known")
    parser.add_argument("--measure", action="store_true", help="see anew which tests reach which lines")
    parser.add_argument("--results", type=Path, default=FOLDER / "results.jsonl")
    parser.add_argument("--reach", type=Path, default=FOLDER / "reach.json")
    given = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    results, chosen = Results(given.results), _chosen(given)
    if not given.report:
        if given.measure or not given.reach.exists():
            _reached(given.reach)
            if given.measure:
                return 0
        good = {NOTICED, TOO_SLOW} if given.again else {NOTICED, TOO_SLOW, SURVIVED, NOT_REACHED}
        left = [(m, names) for m, names in chosen if results.known.get(m.name, {}).get("verdict") not in good]
        _plant(given, results, left)
    _report(results, chosen)
    return 0


if __name__ == "__main__":
    sys.exit(main())
