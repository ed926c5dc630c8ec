"""What the queue of sequences asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.sequences.domain.tasks import HearTask

if TYPE_CHECKING:
    from rebound.sequences.application.advance import AdvanceEnrolments
    from rebound.sequences.application.tell import HearTold
    from rebound.sequences.domain.tasks import StepTask


class GoOn(Struct, frozen=True, kw_only=True):
    """Does a task of the queue; it may come again."""

    advance: AdvanceEnrolments
    hear: HearTold

    def __call__(self, task: StepTask | HearTask) -> None:
        """Hear what happened, or go on with those who are due."""
        if isinstance(task, HearTask):
            self.hear(task)
        else:
            self.advance(task)
