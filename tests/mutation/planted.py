"""``python -m tests.mutation.planted <module> <fault>``: imports a module with a fault in it, and runs the tests given.

For faults at module level, which are there from the import on. The tests' names come by the standard input.
"""

import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from unittest.mock import patch

import pytest

PACKAGE = Path(__file__).parents[2] / "layers" / "common" / "rebound"


def main(module: str, name: str) -> int:
    """Run them until one fails."""
    # Nothing of the product is imported before the fault is there.
    from tests.mutation.mutants import mutated  # noqa: PLC0415

    path = PACKAGE / Path(*module.split(".")).with_suffix(".py")
    code, get_code = mutated(module, path, name), SourceFileLoader.get_code

    def planted(loader: SourceFileLoader, fullname: str) -> CodeType | None:
        return code if fullname == f"rebound.{module}" else get_code(loader, fullname)

    with patch.object(SourceFileLoader, "get_code", planted):
        return int(pytest.main(["-q", "-x", "-p", "no:cacheprovider", "--tb=no", *sys.stdin.read().split("\n")]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
