"""Writing what somebody else may be writing at the same time."""

from collections.abc import Callable
from typing import Final

from rebound.kernel.errors import ConcurrentChangeError, ConflictError

ATTEMPTS: Final = 5


def retried(write: Callable[[], None]) -> None:
    """Run a read-decide-write until nobody else wrote in between; a handful of times is enough for people's edits."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            write()
        except ConcurrentChangeError:
            if attempt == ATTEMPTS:
                raise ConflictError("Somebody else keeps changing this; try again.") from None
        else:
            return
