"""How results are shown: one JSON document for machines, one short table for people, and which bars are missed."""

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

WIDTH: Final = 62


def machine() -> Mapping[str, Any]:
    """What the figures were measured on."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
    }


def missed(results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The bars that are not met, each with the part that it belongs to."""
    return [
        f"{part}: {bar}" for part, found in results.items() for bar, met in found.get("bars", {}).items() if not met
    ]


def table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """The bars and the figures that are numbers, part by part."""
    lines: list[str] = []
    for part, found in results.items():
        lines.append(part)
        lines += [f"  {name:<{WIDTH}} {value:>12g}" for name, value in _figures(found)]
        lines += [f"  {bar:<{WIDTH}} {'met' if met else 'MISSED':>12}" for bar, met in found.get("bars", {}).items()]
    return "\n".join(lines)


def _figures(found: Mapping[str, Any], before: str = "") -> Sequence[tuple[str, float]]:
    figures: list[tuple[str, float]] = []
    for name, value in found.items():
        if isinstance(value, Mapping) and name != "bars":
            figures += _figures(value, f"{before}{name} ")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            figures.append((f"{before}{name}", value))
    return figures
