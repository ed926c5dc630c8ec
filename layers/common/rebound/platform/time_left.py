"""How a function ends by itself before Lambda ends it."""

from collections.abc import Callable
from typing import Any


def more_than(milliseconds: int, context: Any) -> Callable[[], bool]:
    """A question to ask between pieces of work: whether the invocation of this Lambda context has more time left.

    ``milliseconds`` is what one more piece takes at its slowest, with what ends the invocation.
    """

    def may_go_on() -> bool:
        remaining: int = context.get_remaining_time_in_millis()
        return remaining > milliseconds

    return may_go_on
