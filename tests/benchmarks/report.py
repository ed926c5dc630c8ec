"""How results are shown: one JSON document for machines, one short table for people, and which bars are missed."""

import os
import platform
from collections.abc import Mapping
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
    """What each part says in short, and its bars; the document holds the rest."""
    lines: list[str] = []
    for part, found in results.items():
        bars = found.get("bars", {})
        lines.append(part)
        lines += [f"  {name:<{WIDTH}} {value:>16}" for name, value in found.get("short", {}).items()]
        lines += [f"  {bar:<{WIDTH}} {'MISSED':>16}" for bar, met in bars.items() if not met]
        if bars:
            lines.append(f"  {'bars that are met':<{WIDTH}} {f'{sum(bars.values())} of {len(bars)}':>16}")
    return "\n".join(lines)
