"""The runner of ``make test``: what failed is named at the end, and nothing goes on after it."""

import sys
import time
from pathlib import Path
from typing import Final

import pytest

from tests.suites import END_TO_END, IN_PROCESS, LAST, MEANWHILE, PYTEST, THEN, Command, end_to_end, run

PASSES: Final = (sys.executable, "-c", "")
FAILS: Final = (sys.executable, "-c", "print('what went wrong'); raise SystemExit(3)")
TIDIES_UP: Final = """
import pathlib, sys, time
try:
    pathlib.Path(sys.argv[1], "began").touch()
    time.sleep(60)
finally:
    pathlib.Path(sys.argv[1], "tidied").touch()
"""


def test_all_that_pass_are_a_success(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run({"a": PASSES}, {"b": PASSES}, {"c": PASSES}, tmp_path) == 0
    assert "Failed" not in capfd.readouterr().out


@pytest.mark.parametrize(
    ("then", "meanwhile", "failed"),
    [
        ({"b": FAILS, "c": PASSES}, {"d": PASSES}, "b"),
        ({"b": PASSES, "c": PASSES}, {"d": FAILS}, "d"),
        ({"b": FAILS, "c": FAILS}, {"d": FAILS, "e": PASSES}, "b, c, d"),
    ],
)
def test_the_last_line_names_what_failed_after_all_have_run(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    then: dict[str, Command],
    meanwhile: dict[str, Command],
    failed: str,
) -> None:
    assert run({"a": PASSES}, then, meanwhile, tmp_path) == 1
    said = capfd.readouterr().out.splitlines()
    assert said[-1] == f"Failed: {failed}"
    assert said.count("what went wrong") == len(failed.split(", "))


def test_nobody_waits_for_the_rest_when_the_checks_fail(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    waits = (sys.executable, "-c", TIDIES_UP, str(tmp_path))
    fails_then = (
        sys.executable,
        "-c",
        f"import pathlib, time\nwhile not pathlib.Path({str(tmp_path)!r}, 'began').exists(): time.sleep(0.05)\n1 / 0",
    )
    began = time.monotonic()
    assert run({"a": fails_then}, {"b": FAILS}, {"c": waits}, tmp_path / "logs") == 1
    assert time.monotonic() - began < 50
    assert (tmp_path / "tidied").exists()
    said = capfd.readouterr().out
    assert said.splitlines()[-1] == "Failed: a"
    assert "what went wrong" not in said


def test_all_that_needs_no_stack_is_in_one_of_two_parts() -> None:
    parts = [each for command in (THEN["in-process"], *MEANWHILE.values()) for each in command if "tests/" in each]
    assert sorted(part for part in parts if not part.startswith("--ignore=")) == sorted(IN_PROCESS[len(PYTEST) :])


def test_each_end_to_end_module_is_in_one_part_and_each_part_looks_for_losses_at_its_end() -> None:
    parts = [[each for each in command if each.endswith(".py")] for command in end_to_end().values()]
    assert {part[-1] for part in parts} == {str(LAST)}
    modules = sorted(module for part in parts for module in part[:-1])
    assert modules == sorted(str(path) for path in END_TO_END.glob("test_*.py") if path != LAST)
    assert all(len(part) > 1 for part in parts)
