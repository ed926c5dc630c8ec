"""Writing what somebody else may be writing at the same time: read again and decide again when they were faster."""

from collections.abc import Callable
from typing import Final

from rebound.kernel.errors import ConcurrentChangeError

ATTEMPTS: Final = 8


def retried[T](
    write: Callable[[], T], *, attempts: int = ATTEMPTS, lost: Callable[[int], object] = lambda _: None
) -> T:
    """Run a read-decide-write until nobody else wrote in between.

    ``lost`` is called with the number of each lost race, before the next attempt. Raises ``ConcurrentChangeError``
    when the last one is lost too.
    """
    for attempt in range(1, attempts):
        try:
            return write()
        except ConcurrentChangeError:
            lost(attempt)
    return write()


def retried_from[K, T](known: K, write: Callable[[K], T], read: Callable[[], K]) -> T:
    """The same for what has been read already: decide and write on that, and after a lost race on what ``read`` gives.

    A ``ConcurrentChangeError`` of ``read`` ends it: then the race is lost for good.
    """

    def read_again(_: int) -> None:
        nonlocal known
        known = read()

    return retried(lambda: write(known), lost=read_again)
