"""Quiet hours as a document in the table."""

from collections.abc import Mapping
from datetime import time
from typing import Any

from rebound.businesses.domain.quiet_hours import QuietHours, QuietWindow
from rebound.kernel.categories import Category


def write_quiet_hours(hours: QuietHours) -> Mapping[str, Any]:
    """The document of quiet hours."""
    return {"sms": _write_window(hours.sms), "email": _write_window(hours.email)}


def read_quiet_hours(document: Mapping[str, Any]) -> QuietHours:
    """The quiet hours of a document; a channel that it does not name has what a new business has."""
    return QuietHours(**{channel: _read_window(window) for channel, window in document.items()})


def _write_window(window: QuietWindow | None) -> Mapping[str, Any] | None:
    if window is None:
        return None
    return {
        "from": f"{window.start:%H:%M}",
        "until": f"{window.end:%H:%M}",
        "categories": sorted(window.categories),
    }


def _read_window(document: Mapping[str, Any] | None) -> QuietWindow | None:
    if document is None:
        return None
    return QuietWindow(
        time.fromisoformat(document["from"]),
        time.fromisoformat(document["until"]),
        frozenset(Category(category) for category in document["categories"]),
    )
