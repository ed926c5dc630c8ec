"""The machine's clock, and waits between attempts."""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

FIRST_WAIT_SECONDS: Final = 0.05
LONGEST_WAIT_SECONDS: Final = 2.0


class SystemClock:
    """Implements ``Clock``."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def wait(self, duration: timedelta) -> None:
        time.sleep(max(duration.total_seconds(), 0))


class JitteredPatience:
    """Implements ``Patience``: a random wait of up to 0.05, 0.1, 0.2 … 2 seconds ("full jitter")."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._sleep = sleep

    def wait(self, attempt: int) -> None:
        most = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** (attempt - 1))
        self._sleep(secrets.SystemRandom().uniform(0, most))
