"""Which tests reach which lines of the modules in question, and how long each test takes: a plugin of pytest.

By ``sys.monitoring``: a line speaks once for each test, so that all tests take little longer than they take anyway.
"""

import gc
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, Final

import pytest

from tests.mutation.mutants import nodes_of

_TOOL: Final = 4


def functions_of(paths: frozenset[str]) -> dict[tuple[str, str, int], list[FunctionType]]:
    """The functions that are alive of these files, by file, qualified name and first line."""
    found: defaultdict[tuple[str, str, int], list[FunctionType]] = defaultdict(list)
    for each in gc.get_objects():
        if type(each) is FunctionType and each.__code__.co_filename in paths:
            code = each.__code__
            found[code.co_filename, code.co_qualname, code.co_firstlineno].append(each)
    return found


class Reach:
    """Notes the lines that each test reaches, and writes them at the end."""

    def __init__(self, paths: frozenset[str], into: Path) -> None:
        self._paths = paths
        self._into = into
        self._lines: defaultdict[str, set[str]] = defaultdict(set)
        self._seconds: dict[str, float] = {}
        self._failed: list[str] = []
        self._current: set[str] = set()

    def pytest_collection_finish(self) -> None:
        """Everything is imported."""
        sys.monitoring.use_tool_id(_TOOL, "mutation")
        sys.monitoring.register_callback(_TOOL, sys.monitoring.events.LINE, self._line)
        for functions in functions_of(self._paths).values():
            for code in {code for function in functions for code in nodes_of(function.__code__)}:
                sys.monitoring.set_local_events(_TOOL, code, sys.monitoring.events.LINE)

    def _line(self, code: CodeType, line: int) -> object:
        self._current.add(f"{code.co_filename}:{line}")
        return sys.monitoring.DISABLE

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """One test, with its fixtures."""
        self._current = set()
        sys.monitoring.restart_events()
        began = time.monotonic()
        result = yield
        self._seconds[item.nodeid] = time.monotonic() - began
        for line in self._current:
            self._lines[line].add(item.nodeid)
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test that fails anyway notices nothing."""
        if report.failed:
            self._failed.append(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Write what was found."""
        sys.monitoring.free_tool_id(_TOOL)
        numbers = {name: number for number, name in enumerate(self._seconds)}
        known: dict[str, Any] = {
            "tests": list(numbers),
            "seconds": [round(seconds, 4) for seconds in self._seconds.values()],
            "failed": self._failed,
            "lines": {line: sorted(numbers[test] for test in tests) for line, tests in sorted(self._lines.items())},
        }
        self._into.write_text(json.dumps(known), encoding="utf-8")
