"""What the queue of sequences asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.sequences.domain.tasks import HearTask, NewcomersTask
from rebound.sequences.domain.waivers import waiver_of

if TYPE_CHECKING:
    from rebound.sequences.application.advance import AdvanceEnrolments
    from rebound.sequences.application.ask_to_sign import AskToSign
    from rebound.sequences.application.hear_activity import HearOfNewcomers
    from rebound.sequences.application.tell import HearTold
    from rebound.sequences.domain.tasks import QueuedTask


class GoOn(Struct, frozen=True, kw_only=True):
    """Does a task of the queue; it may come again."""

    advance: AdvanceEnrolments
    hear: HearTold
    hear_new: HearOfNewcomers
    ask: Callable[[], AskToSign]
    """Made for who has waivers: it sends messages of its own."""

    def __call__(self, task: QueuedTask) -> None:
        """Hear what happened, or of who is new; look who is to sign a waiver; or go on with those who are due."""
        if isinstance(task, HearTask):
            self.hear(task)
        elif isinstance(task, NewcomersTask):
            self.hear_new(task)
        elif waiver_of(task.sequence_id) is not None:
            self.ask()(task)
        else:
            self.advance(task)
