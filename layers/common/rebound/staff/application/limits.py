"""How often something may be done within a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rebound.kernel.errors import ConcurrentChangeError
from rebound.kernel.retrying import retried

if TYPE_CHECKING:
    from rebound.platform.ports import Clock
    from rebound.staff.domain import Limit
    from rebound.staff.ports import SignInBook


def one_more(sign_ins: SignInBook, clock: Clock, what: str, limit: Limit) -> bool:
    """Count something that is about to be done; whether it may be, also where many try at once."""

    def write() -> bool:
        now = clock.now()
        more = sign_ins.recent(what).with_another(now, limit)
        if more is None:
            return False
        sign_ins.save_recent(more, now + limit.within)
        return True

    try:
        return retried(write)
    except ConcurrentChangeError:
        return False
