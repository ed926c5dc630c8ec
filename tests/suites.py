"""``make test``: every suite, side by side where they do not need each other, and at the end which of them failed.

The end-to-end tests mostly wait for what they deployed, so the others run meanwhile, in two processes for two cores.
They are parts with a stack each: its faults, queues and dead letters are for one test at a time.
"""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

type Command = Sequence[str]

PYTEST: Final = (sys.executable, "-m", "pytest")
FIRST: Final[Mapping[str, Command]] = {"check": ("make", "check")}
"""If one of these fails, nobody waits for the rest."""
INTEGRATION: Final = "tests/integration"
"""Takes as long as the others that need no stack together, and shares nothing with them."""
IN_PROCESS: Final[Command] = (*PYTEST, "tests/unit", "tests/contract", "tests/crash", INTEGRATION)
THEN: Final[Mapping[str, Command]] = {
    "checkov": ("make", "checkov"),
    # make check has run these.
    "in-process": (*IN_PROCESS[:-1], "--ignore=tests/contract/project/test_template_laws.py"),
    "dates": (sys.executable, "-m", "tests.dates", "--sample"),
}
MEANWHILE: Final[Mapping[str, Command]] = {"integration": (*PYTEST, INTEGRATION)}
END_TO_END: Final = Path("tests/e2e")
PARTS: Final = 2
"""Of those that use the processors."""
LONGEST: Final = ("test_breaker.py", "test_stop_under_way.py")
"""Half of the time is theirs, so each has a part of its own."""
CLOCK_WATCHERS: Final = (
    "test_dead_letters.py",
    "test_quiet_hours.py",
    "test_quota.py",
    "test_two_stacks.py",
    "test_what_waits.py",
)
"""They mostly wait, for minutes to pass or for a second stack: a part more, which takes little from the others."""
LAST: Final = END_TO_END / "test_without_loss.py"
"""Looks at what the modules before it have left of their stack."""
LOGS: Final = Path(".local")


def end_to_end() -> Mapping[str, Command]:
    """The modules that need a stack, dealt out."""
    waiting = [END_TO_END / name for name in CLOCK_WATCHERS]
    busy = set(END_TO_END.glob("test_*.py")) - {LAST, *waiting}
    modules = sorted(busy, key=lambda path: (path.name not in LONGEST, path))
    parts = [*(sorted(modules[part::PARTS]) for part in range(PARTS)), waiting]
    return {f"end-to-end-{number}": (*PYTEST, *map(str, part), str(LAST)) for number, part in enumerate(parts, 1)}


def run(first: Mapping[str, Command], then: Mapping[str, Command], meanwhile: Mapping[str, Command], logs: Path) -> int:
    """All of them, ``meanwhile`` beside the others and shown after them; 1 when any failed, with which ones."""
    logs.mkdir(exist_ok=True)
    # A shell lets what it starts in the background ignore it, and what that starts would ignore it too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with contextlib.ExitStack() as running:
        beside = {
            name: running.enter_context(_beside(command, logs / f"{name}.log")) for name, command in meanwhile.items()
        }
        failed = [name for name, command in first.items() if _run(command)]
        if not failed:
            failed += [name for name, command in then.items() if _run(command)]
            for name, process in beside.items():
                _say(f"{name} …")
                failed += [name] if process.wait() else []
                _say((logs / f"{name}.log").read_text(encoding="utf-8", errors="replace"))
    if failed:
        _say(f"\nFailed: {', '.join(failed)}")
    return 1 if failed else 0


def _run(command: Command) -> int:
    return subprocess.run(command, check=False).returncode


@contextlib.contextmanager
def _beside(command: Command, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends with the block at the latest, as by Ctrl-C, so that it takes its stack down.

    It has a session of its own: a second Ctrl-C, from the terminal, would keep it from that.
    """
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait()


def _say(what: str) -> None:
    print(what, flush=True)  # noqa: T201 - for whoever is at the terminal


if __name__ == "__main__":
    # Whoever ends this ends all of it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(run(FIRST, THEN, {**MEANWHILE, **end_to_end()}, LOGS))
