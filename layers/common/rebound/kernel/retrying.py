"""Retries of writes that lost a race against another writer: read again, decide again, write again."""

from collections.abc import Callable
from typing import Final

from rebound.kernel.errors import ConcurrentChangeError

ATTEMPTS: Final = 8


def retried[T](
    write: Callable[[], T], *, attempts: int = ATTEMPTS, lost: Callable[[int], object] = lambda _: None
) -> T:
    """Run a read-decide-write until nobody else wrote in between.

    After each lost race, ``lost`` is called with the number of lost races so far, before the next attempt. Raises
    ``ConcurrentChangeError`` when the last of ``attempts`` loses, too.
    """
    for attempt in range(1, attempts):
        try:
            return write()
        except ConcurrentChangeError:
            lost(attempt)
    return write()


def retried_from[K, T](known: K, write: Callable[[K], T], read: Callable[[], K]) -> T:
    """Like ``retried``, but the first attempt starts from ``known``, and each later one from what ``read`` returns.

    A ``ConcurrentChangeError`` raised by ``read`` is not retried: the race is then lost for good.
    """

    def read_again(_: int) -> None:
        nonlocal known
        known = read()

    return retried(lambda: write(known), lost=read_again)
