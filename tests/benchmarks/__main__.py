"""``make bench``: all parts, one after the other, as one JSON document."""

import argparse
import importlib
import json
import pkgutil
import sys
from contextlib import redirect_stdout
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import tests.benchmarks
from tests.benchmarks.report import machine, missed, table

if TYPE_CHECKING:
    from collections.abc import Mapping

KEPT: Final = Path(".local/bench.json")


def parts() -> list[str]:
    """The modules here that are a part: those with a function ``run``."""
    names = sorted(module.name for module in pkgutil.iter_modules(tests.benchmarks.__path__))
    folder = Path(tests.benchmarks.__path__[0])
    return [name for name in names if "\ndef run(" in (folder / f"{name}.py").read_text(encoding="utf-8")]


def main(*alone: str) -> int:
    """Run what is asked for, or only the part that was started alone; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="make bench")
    if not alone:
        parser.add_argument("parts", nargs="*", metavar="part", help=f"out of {', '.join(parts())}; without any, all")
    parser.add_argument("--quick", action="store_true", help="the smaller sizes that each part names")
    chosen = parser.parse_args()
    wanted = alone or chosen.parts or parts()
    if unknown := set(wanted) - set(parts()):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    results: dict[str, Mapping[str, Any]] = {}
    for name in wanted:
        print(f"{name} …", file=sys.stderr, flush=True)
        module = importlib.import_module(f"tests.benchmarks.{name}")
        began = perf_counter()
        # Nothing but the document may come out on stdout.
        with redirect_stdout(sys.stderr):
            found = module.run(**getattr(module, "QUICK", {}) if chosen.quick else {})
        results[name] = {**found, "took_seconds": round(perf_counter() - began, 1)}
    document = json.dumps({"machine": machine(), **results, "missed": missed(results)}, indent=2)
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(f"{document}\n", encoding="utf-8")
    print(document)
    print(table(results), file=sys.stderr)
    for bar in missed(results):
        print(f"MISSED {bar}", file=sys.stderr)
    return 1 if missed(results) else 0


if __name__ == "__main__":
    sys.exit(main())
