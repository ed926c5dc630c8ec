"""Having somebody go on at their time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.sending.domain.chunk_tasks import LONGEST_DELAY
from rebound.sequences.domain.tasks import TOGETHER, task_of, timer_of

if TYPE_CHECKING:
    from rebound.platform.ports import Clock
    from rebound.sequences.domain.enrolments import EnrolmentKey
    from rebound.sequences.ports import StepQueue
    from rebound.timers.ports import TimerBook


class ScheduleSteps(Struct, frozen=True, kw_only=True):
    """Has customers go on at their time: those whose time is near by the queue, the others by a timer.

    It may be done again, before or after a death: who comes twice, or too early, finds nothing to do.
    """

    timers: TimerBook
    step_queue: StepQueue
    clock: Clock

    def __call__(self, waiting: Iterable[tuple[EnrolmentKey, datetime]]) -> None:
        """Schedule these, each with when they go on."""
        now = self.clock.now()
        soon: dict[tuple[str, str, datetime], list[str]] = {}
        far = []
        for key, wake_at in waiting:
            if wake_at - now <= LONGEST_DELAY:
                soon.setdefault((key.business_id, key.sequence_id, wake_at), []).append(key.customer_id)
            else:
                far.append(timer_of(key, wake_at))
        if far:
            self.timers.put(far)
        for (business_id, sequence_id, wake_at), ids in soon.items():
            tasks = [
                task_of(business_id, sequence_id, some, wake_at, "soon")
                for some in batched(ids, TOGETHER, strict=False)
            ]
            self.step_queue.put(tasks, max(wake_at - now, timedelta()))
