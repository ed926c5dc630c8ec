"""Moving those who wait in a version of a sequence to its newest.

Who is moved waits by the new step from when they began to wait; whose wait is over goes on behind it. Who waits for
what is to come stays where something else begins the newest. They are moved by a conditional write of where they stand:
whoever is gone on with at the same moment is moved or gone on with, never both. What happened before they were moved
counts by the version in which they were then, whenever it is told. What has been sent to them does not say anything to
the newest version: the map says where they wait, and what comes behind that is sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import replace
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.jobs.domain import JobKind
from rebound.kernel.errors import ConcurrentChangeError, FieldError, InvalidInputError, NotFoundError
from rebound.sequences.domain.enrolments import Stage
from rebound.sequences.domain.moves import StaysBecause, begins_at, foreseen, may_begin, wakes_at, wrong_with
from rebound.sequences.domain.results import results_of
from rebound.sequences.domain.steps import Wait

if TYPE_CHECKING:
    from datetime import datetime

    from rebound.businesses.ports import BusinessDirectory
    from rebound.customers.ports import CustomerBook
    from rebound.jobs.application.job_service import JobService
    from rebound.jobs.domain import Job
    from rebound.platform.ports import Clock
    from rebound.sequences.application.schedule import ScheduleSteps
    from rebound.sequences.domain.enrolments import Enrolment, EnrolmentKey
    from rebound.sequences.domain.moves import Move
    from rebound.sequences.domain.sequences import Definition
    from rebound.sequences.ports import EnrolmentBook, SequenceBook, StepTallies

MOVE: Final = "move"
MOVED: Final = "moved"


class MoveEnrolments(Struct, frozen=True, kw_only=True):
    """Says who would be moved, and has it done."""

    sequences: SequenceBook
    step_tallies: StepTallies
    job_service: JobService

    def foresee(self, business_id: str, sequence_id: str, version: int, steps: Mapping[str, str]) -> Move:
        """Who would be moved to the newest version, and who would stay; the counts are a few seconds behind.

        Raises ``NotFoundError``, and ``InvalidInputError`` for a map that names steps at which nobody waits.
        """
        sequence = self.sequences.get(business_id, sequence_id)
        old = self.sequences.version(business_id, sequence.uid, version)
        if version == sequence.version:
            raise InvalidInputError(FieldError("version", "Is the newest version: others are moved to it."))
        if wrong := wrong_with(steps, old, sequence.definition):
            raise InvalidInputError(*wrong)
        counts = self.step_tallies.counts(business_id, sequence.uid)
        found = results_of(version, old.program, counts, {})
        return foreseen(found, sequence.version, steps, begin=may_begin(old, sequence.definition))

    def start(self, business_id: str, sequence_id: str, move: Move, request: str | None = None) -> str:
        """Have it done; the id of the job that does it. ``request`` names the client's request (``JobService``)."""
        sequence = self.sequences.get(business_id, sequence_id)
        asked = {
            "sequence_id": sequence_id,
            "uid": sequence.uid,
            "what": MOVE,
            "version": move.version,
            "to": move.to,
            "steps": {each.step_id: each.to_step_id for each in move.moves},
        }
        view = self.job_service.start(business_id, JobKind.SEQUENCE, asked, request=request, in_one=True)
        return view.job.job_id


class MovePage(Struct, frozen=True, kw_only=True):
    """Moves some of those who are in a sequence, as a job asks for it."""

    sequences: SequenceBook
    enrolments: EnrolmentBook
    businesses: BusinessDirectory
    customers: CustomerBook
    schedule: ScheduleSteps
    clock: Clock

    def __call__(self, job: Job, found: Sequence[Enrolment]) -> Mapping[str, int]:
        """How many were moved, and how many stay, by why. It may be done again, before or after a death."""
        asked = job.request
        try:
            zone = self.businesses.get(job.business_id).time_zone
            old, new = (
                self.sequences.version(job.business_id, asked["uid"], asked[which]) for which in ("version", "to")
            )
        except NotFoundError:
            return {}
        own = [each for each in found if each.uid == asked["uid"] and not each.is_over]
        zones = {
            each.customer_id: each.time_zone or zone
            for each in self.customers.get_many(job.business_id, [each.key.customer_id for each in own]).values()
        }
        counts: Counter[str] = Counter()
        waiting: list[tuple[EnrolmentKey, datetime]] = []
        for each in own:
            if each.moved_by == job.job_id and each.wake_at is not None:
                # Who moved them may have died before they had them woken.
                waiting.append((each.key, each.wake_at))
                counts[MOVED] += 1
            elif each.version == asked["version"] and each.key.customer_id in zones:
                after = self._after(job, each, old, new, zones[each.key.customer_id])
                counts[self._written(each, after, waiting)] += 1
        self.schedule(waiting)
        return counts

    def _after(
        self, job: Job, before: Enrolment, old: Definition, new: Definition, zone: str
    ) -> Enrolment | StaysBecause:
        """Where somebody waits in the newer version, or why they stay."""
        if before.standing is not Stage.WAITING:
            return StaysBecause.IN_HAND
        now = self.clock.now()
        if before.step_id is None:
            if not may_begin(old, new):
                return StaysBecause.ANOTHER_TRIGGER
            wake_at = begins_at(before, old, new, now)
            return replace(self._moved(job, before, now), wake_at=wake_at)
        step_id = job.request["steps"].get(before.step_id)
        if step_id is None:
            return StaysBecause.NOT_MAPPED
        match new.program.steps[step_id].action:
            case Wait() as wait:
                # A wait that is over, by its time or by what was waited for, stays over.
                over = before.wake_at if before.is_due(now) else None
                wake_at = over or wakes_at(wait, before.since, now, zone)
                return replace(self._moved(job, before, now), step_id=step_id, wake_at=wake_at, through=())
            case _:
                raise AssertionError(step_id)

    def _moved(self, job: Job, before: Enrolment, now: datetime) -> Enrolment:
        return before.moved(job.request["to"], now, job.request["steps"], job.job_id)

    def _written(
        self, before: Enrolment, after: Enrolment | StaysBecause, waiting: list[tuple[EnrolmentKey, datetime]]
    ) -> str:
        if isinstance(after, StaysBecause):
            return after
        with suppress(ConcurrentChangeError):
            self.enrolments.replace(before, after)
            if after.wake_at is not None:
                waiting.append((after.key, after.wake_at))
            return MOVED
        return StaysBecause.IN_HAND
