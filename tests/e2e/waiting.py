"""Waiting for something to come true, with a deadline, by looking again and again."""

import time
from collections.abc import Callable
from typing import Final

POLL_SECONDS: Final = 0.25
PATIENCE_SECONDS: Final = 60.0


def until[T](what: str, look: Callable[[], T], holds: Callable[[T], bool], seconds: float = PATIENCE_SECONDS) -> T:
    """What ``look`` gives as soon as ``holds`` says yes to it; fails with the last look when that takes too long."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if holds(seen):
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not so after {seconds:.0f} s; last seen: {seen}")
        time.sleep(POLL_SECONDS)
