"""Writing into messages that their goals were reached, or that they were not after all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.kernel.errors import ConcurrentChangeError
from rebound.messages.domain.goals import LOOKED_BACK, Goal, GoalKind

if TYPE_CHECKING:
    from rebound.kernel.receipts import MessageKey
    from rebound.messages.domain.messages import Message
    from rebound.messages.ports import MessageLog
    from rebound.platform.ports import Clock

ATTEMPTS: Final = 12
type Facts = Mapping[GoalKind, Collection[datetime]]
"""When what counts for goals of a kind was done; of a kind that is not there, nothing is known."""


class ReachGoals(Struct, frozen=True, kw_only=True):
    """Makes the messages of a customer say of their goals what the facts are.

    Whoever changes a fact calls this afterwards, and whoever writes looks again: so the last look has seen all facts,
    in whatever order they come, twice, or at the same time.
    """

    messages: MessageLog
    clock: Clock

    def __call__(
        self,
        business_id: str,
        customer_id: str,
        read: Callable[[], tuple[Facts, bool]],
        only: MessageKey | None = None,
    ) -> None:
        """Look at all messages that may still reach a goal, or at one.

        ``read`` gives the facts as they are now (strongly consistent), and whether they are all there are: others are
        added to what was reached before, and take nothing back. It is called where there is such a message. Raises
        ``ConcurrentChangeError`` when others are always faster.
        """
        for _ in range(ATTEMPTS):
            now = self.clock.now()
            open_ = [
                (message, goal)
                for message in self._messages(business_id, customer_id, now, only)
                if message.goal is not None and (goal := Goal.read(message.goal)).is_open(message, now)
            ]
            if not open_:
                return
            facts, is_all = read()
            told = [
                (message, at)
                for message, goal in open_
                if goal.kind in facts and (at := _reached(message, goal, facts, is_all=is_all)) != message.reached_at
            ]
            if not told:
                return
            for message, at in told:
                with suppress(ConcurrentChangeError):
                    self.messages.reach(message, at)
        raise ConcurrentChangeError

    def _messages(
        self, business_id: str, customer_id: str, now: datetime, only: MessageKey | None
    ) -> Sequence[Message]:
        if only is not None:
            return list(self.messages.get_many([only]).values())
        return self.messages.with_goals(business_id, customer_id, now - LOOKED_BACK)


def _reached(message: Message, goal: Goal, facts: Facts, *, is_all: bool) -> datetime | None:
    known = () if is_all or message.reached_at is None else (message.reached_at,)
    return goal.reached(message, (*facts[goal.kind], *known))
