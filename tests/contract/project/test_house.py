"""The house: what import-linter cannot see, and that what it holds can fail."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.fakes.aws import REPOSITORY

PACKAGE: Final = REPOSITORY / "layers/common/rebound"
PROJECT: Final[dict[str, Any]] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS: Final[dict[str, Any]] = {
    contract["id"]: contract for contract in PROJECT["tool"]["importlinter"]["contracts"]
}
ORDER: Final = list(reversed(CONTRACTS["order"]["layers"]))
"""From the ground up."""
SHARED: Final = ("kernel", "platform")
"""Whole packages that everybody above may use."""
MOST_LINES: Final = 500
MOST_FILES: Final = 24


def modules() -> Iterator[tuple[tuple[str, ...], ast.Module]]:
    """Every module by its path inside the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).with_suffix("").parts, ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.AST) -> Iterator[list[str]]:
    """What of the package is imported or named by a string: the parts of each module's name after ``rebound``."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), names=names):
                found = [f"{module}.{alias.name}" for alias in names]
            case ast.Import(names=names):
                found = [alias.name for alias in names]
            case ast.Constant(value=str(text)) if re.fullmatch(r"rebound(\.[a-z_0-9]+)+", text):
                found = [text]
            case _:
                continue
        yield from (name.split(".")[1:] for name in found if name.startswith("rebound."))


def test_the_order_is_that_of_the_folders() -> None:
    """A capability stands twice in pyproject.toml: under ``layers`` of one contract, ``containers`` of the other."""
    assert sorted(ORDER) == sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
    assert {f"rebound.{name}" for name in ORDER} - set(CONTRACTS["layers"]["containers"]) == {
        "rebound.kernel", "rebound.platform", "rebound.api",
    }  # fmt: skip


def test_what_is_named_by_a_string_stands_below_as_well() -> None:
    against = [
        f"{'.'.join(module)} -> {'.'.join(used)}"
        for module, tree in modules()
        for used in imports(tree)
        if module[0] in ORDER and ORDER.index(used[0]) > ORDER.index(module[0])
    ]

    assert against == []


def test_adapters_are_their_capabilitys_own() -> None:
    reached = [
        f"{'.'.join(module)} -> {'.'.join(used)}"
        for module, tree in modules()
        for used in imports(tree)
        if used[0] not in (module[0], *SHARED) and used[1:2] == ["adapters"]
    ]

    assert reached == []


@pytest.mark.parametrize("path", sorted(REPOSITORY.glob("functions/*/handler.py")), ids=lambda path: path.parent.name)
def test_a_handler_knows_wiring_and_the_platform_and_nothing_else_of_the_package(path: Path) -> None:
    used = list(imports(ast.parse(path.read_text(encoding="utf-8"))))

    assert used
    assert [".".join(name) for name in used if name[0] != "platform" and name[1:2] != ["wiring"]] == []


def test_folders_and_modules_stay_small() -> None:
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    crowded = {folder: count for folder in folders if (count := len(list(folder.glob("*.py")))) > MOST_FILES}
    long = {
        path: lines
        for path in PACKAGE.rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    }

    assert (crowded, long) == ({}, {})


PLANTED: Final = {
    "order": ("kernel/pages.py", "from rebound.sending.domain.chunk_tasks import ChunkTask"),
    "order, for a type": (
        "consent/domain/consent.py",
        "if TYPE_CHECKING:\n    from rebound.campaigns.domain.campaigns import Campaign",
    ),
    "order, lazily": ("jobs/domain.py", "def f():\n    from rebound.segments.domain import compile_filter"),
    "layers": ("campaigns/domain/chunks.py", "from rebound.campaigns.application.count_results import TripBreaker"),
    "platform": ("platform/settings.py", "from rebound.platform.http.shapes import Line"),
    "pure": ("segments/domain/segments.py", "import pynamodb"),
}
"""By contract: what is put at the end of a module must break it."""


@pytest.mark.parametrize("fault", ["", *PLANTED])
def test_a_planted_import_breaks_its_contract_and_no_other(fault: str, tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "rebound", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    if fault:
        module, line = PLANTED[fault]
        with (tmp_path / "rebound" / module).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [lint, "--no-cache", "--no-logo", "--config", "pyproject.toml"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "COLUMNS": "500"},
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = {
        key: verdict
        for key, contract in CONTRACTS.items()
        for line in done.stdout.splitlines()
        for verdict in ("KEPT", "BROKEN")
        if line == f"{contract['name']} {verdict}"
    }

    assert verdicts == {key: "BROKEN" if key == fault.split(",", maxsplit=1)[0] else "KEPT" for key in CONTRACTS}
