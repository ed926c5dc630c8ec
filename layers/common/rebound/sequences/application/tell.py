"""Telling sequences what happened, by way of their queue: whoever tells waits for nothing that follows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import batched
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.sequences.domain.happenings import Kind
from rebound.sequences.domain.tasks import TOLD_TOGETHER, HearTask

if TYPE_CHECKING:
    from rebound.sequences.application.enrol import HearHappenings
    from rebound.sequences.application.notice_entering import NoticeEntering
    from rebound.sequences.domain.happenings import Happened
    from rebound.sequences.domain.sequences import KnownSequence
    from rebound.sequences.domain.tasks import Told
    from rebound.sequences.ports import SequenceBook, StepQueue


class TellSequences(Struct, frozen=True, kw_only=True):
    """Lets the sequences of a business hear what happened with customers.

    For whoever learns of something that starts sequences and has work of their own: an inbound text, a missed call, a
    tag that was given. Telling again changes nothing, because what happened has a key.
    """

    sequences: SequenceBook
    step_queue: StepQueue

    def __call__(self, business_id: str, told: Sequence[Told]) -> None:
        """Tell what some sequence could hear; one read, and a request to the queue where there is one."""
        saved = self._there(business_id)
        self.put(business_id, [each for each in told if _hearing(saved, each.happened)])

    def is_heard(self, business_id: str, happened: Happened) -> bool:
        """Whether there is a sequence that could hear it; for who must find out with whom it happened."""
        return bool(self.hearing(business_id, happened))

    def hearing(self, business_id: str, happened: Happened) -> Sequence[KnownSequence]:
        """The sequences that could hear it."""
        return _hearing(self._there(business_id), happened)

    def put(self, business_id: str, told: Sequence[Told]) -> None:
        """Tell without looking."""
        tasks = [HearTask(business_id, some) for some in batched(told, TOLD_TOGETHER, strict=False)]
        if tasks:
            self.step_queue.tell(tasks)

    def _there(self, business_id: str) -> Sequence[KnownSequence]:
        return [each for each in self.sequences.all(business_id) if each.may_have_people]


class HearTold(Struct, frozen=True, kw_only=True):
    """Hears what was told by the queue."""

    sequences: SequenceBook
    hear: HearHappenings
    notice: NoticeEntering

    def __call__(self, task: HearTask) -> None:
        """Do in sequences what each of these means; may come again."""
        saved = self.sequences.all(task.business_id)
        for told in task.told:
            self.hear.in_these(saved, told.customer_id, [told.happened])
            if told.happened.kind is Kind.TAG_ADDED:
                self.notice.of_tag(saved, task.business_id, told.customer_id, told.had, told.happened.at)


def _hearing(saved: Sequence[KnownSequence], happened: Happened) -> Sequence[KnownSequence]:
    return [each for each in saved if each.may_hear(happened)]
