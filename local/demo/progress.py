"""Shows how far the demo is: one line that changes on a terminal, a plain line now and then elsewhere."""

import os
import shutil
from collections.abc import Callable, Iterable
from typing import Final, TextIO

from local.demo.api import Campaign

PLAIN_EVERY_SECONDS: Final = 5.0
_BAR: Final = 10


def campaign_line(tracks: Iterable[tuple[str, Campaign]], seconds: float) -> str:
    """How many messages of each campaign have a final word: ``email [####------] 12 of 30 · 4 s``."""
    parts = []
    for label, campaign in tracks:
        total = campaign.audience.targeted
        if campaign.status in ("scheduled", "expanding") or not total:
            parts.append(f"{label}: working out who gets it ({total:,} so far)")
            continue
        share = min(campaign.settled / total, 1.0)
        bar = "#" * int(share * _BAR)
        parts.append(f"{label} [{bar:-<{_BAR}}] {campaign.settled:,} of {total:,}")
    return " · ".join([*parts, f"{seconds:.0f} s"])


class Progress:
    """Prints what happens. ``clock`` answers seconds; only its differences matter."""

    def __init__(self, out: TextIO, clock: Callable[[], float]) -> None:
        self._out = out
        self._clock = clock
        self._live = out.isatty() and os.environ.get("TERM") != "dumb"
        self._shown = 0
        self._last_plain: float | None = None

    def step(self, text: str) -> None:
        """A line that stays: what happens next."""
        self._wipe()
        self._last_plain = None
        self._write(text + "\n")

    def update(self, text: str) -> None:
        """Where the present step stands; replaces the last such line on a terminal."""
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            line = f"   {text}"
            if len(line) > width:
                line = line[: width - 1] + "…"
            self._write("\r" + line.ljust(self._shown))
            self._shown = len(line)
            return
        now = self._clock()
        if self._last_plain is None or now - self._last_plain >= PLAIN_EVERY_SECONDS:
            self._last_plain = now
            self._write(f"   {text}\n")

    def done(self, text: str) -> None:
        """A line that stays: how the step ended."""
        self._wipe()
        self._last_plain = None
        self._write(f"   {text}\n")

    def _wipe(self) -> None:
        if self._shown:
            self._write("\r" + " " * self._shown + "\r")
            self._shown = 0

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
