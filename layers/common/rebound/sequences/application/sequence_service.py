"""Sequences: making, changing, reading and removing them, and switching them on and off."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from copy import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.jobs.domain import JobKind
from rebound.kernel.errors import (
    ChangedMeanwhileError,
    ConcurrentChangeError,
    ConflictError,
    FieldError,
    InvalidInputError,
    NotFoundError,
)
from rebound.kernel.ids import derived_ulid
from rebound.kernel.pages import Page, first_page, read_cursor
from rebound.kernel.retrying import retried
from rebound.sequences.domain.enrolments import EnrolmentKey, LeftBecause
from rebound.sequences.domain.happenings import Happened, Kind
from rebound.sequences.domain.sequences import (
    MOST_SEQUENCES,
    Late,
    Owes,
    Reentry,
    SavedSequence,
    SequenceStatus,
)

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.customers.ports import CustomerBook
    from rebound.jobs.application.job_service import JobService
    from rebound.platform.ports import Clock, Ids
    from rebound.segments.domain.segments import SavedSegments
    from rebound.segments.ports import SegmentBook
    from rebound.sequences.application.check_definition import CheckDefinition
    from rebound.sequences.application.enrol import HearHappenings
    from rebound.sequences.application.notice_entering import BeginLooks
    from rebound.sequences.application.switch import SwitchCarriers
    from rebound.sequences.domain.sequences import (
        Definition,
        KnownSequence,
    )
    from rebound.sequences.ports import EnrolmentBook, SequenceBook

WAKE: Final = "wake"
LAPSE: Final = "lapse"
REMOVE: Final = "remove"
PLAN: Final = "plan"
_IDS: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Wanted(Struct, frozen=True, kw_only=True):
    """A sequence as a client would have it."""

    name: str
    status: SequenceStatus
    definition: Definition
    late: Late = Late.GO_ON


class SequenceService(Struct, frozen=True, kw_only=True):
    """The sequences of one business at a time."""

    sequences: SequenceBook
    enrolments: EnrolmentBook
    businesses: BusinessDirectory
    customers: CustomerBook
    segments: SegmentBook
    check: CheckDefinition
    carriers: SwitchCarriers
    looks: BeginLooks
    hear: HearHappenings
    job_service: JobService
    clock: Clock
    ids: Ids

    def put(
        self, business_id: str, sequence_id: str, wanted: Wanted, tags: Sequence[str] | None = None
    ) -> SavedSequence:
        """Make one, or publish what is changed of it as its next version: whoever is inside stays on theirs.

        ``tags`` are those that a client takes for its state (``tag_of``). Raises ``InvalidInputError``,
        ``ConflictError`` and ``ChangedMeanwhileError``.
        """
        business = self.businesses.get(business_id)

        def write() -> None:
            before = self._expected(business_id, sequence_id, tags)
            if before is not None:
                _refuse_if_leaving(before)
            segments = self._segments_for(business_id, wanted.definition, before)
            self.check(business, wanted.definition)
            kept = replace(wanted, definition=wanted.definition.unpinned)
            after = self._after(business_id, sequence_id, kept, before, self.clock.now())
            if before is None or after != before:
                self.sequences.save(after, segments if wanted.definition.segments else None)

        retried(write)
        return retried(lambda: self._followed(business_id, sequence_id))

    def switch(
        self, business_id: str, sequence_id: str, status: SequenceStatus | None, late: Late | None = None
    ) -> SavedSequence:
        """Switch one on or off, or say what becomes of what is late; ``None`` is as before.

        Raises ``NotFoundError`` and ``ConflictError``.
        """

        def write() -> None:
            before = self.sequences.get(business_id, sequence_id)
            _refuse_if_leaving(before)
            now = self.clock.now()
            after = before.stands(status or before.status, late or before.late, now)
            if after.status is not before.status:
                after = replace(after, updated_at=now)
            if after != before:
                self.sequences.save(after)

        retried(write)
        return retried(lambda: self._followed(business_id, sequence_id))

    def delete(self, business_id: str, sequence_id: str, tags: Sequence[str] | None = None) -> None:
        """Remove one: whoever is inside leaves, and what is on its way and not handed over is cancelled.

        It says first that it is being deleted, by which nothing changes it or goes out any more, and is gone last:
        asked again after a death, it is there to be found, and the tags are those of the first time. Raises
        ``NotFoundError`` and ``ChangedMeanwhileError``.
        """

        def write() -> None:
            before = self._expected(business_id, sequence_id, tags)
            if before is None:
                raise NotFoundError("sequence")
            leaving = self._leaving(before)
            self.carriers.cancel(leaving)
            self._start(leaving, REMOVE, leaving.updated_at)
            self.sequences.delete(leaving)

        retried(write)

    def get(self, business_id: str, sequence_id: str) -> SavedSequence:
        """Raises ``NotFoundError``."""
        return self.sequences.get(business_id, sequence_id)

    def all(self, business_id: str) -> Sequence[KnownSequence]:
        """Those of a business, by id."""
        return self.sequences.all(business_id)

    def page(self, business_id: str, limit: int, cursor: str | None) -> Page[SavedSequence]:
        """The same with all that they say, a page at a time."""
        after = read_cursor(cursor, _IDS) or ""
        there = (each.sequence_id for each in self.sequences.all(business_id) if each.sequence_id > after)
        page = first_page(there, limit, lambda sequence_id: sequence_id)
        found = []
        for sequence_id in page.items:
            # Who is gone meanwhile is no item any more.
            with suppress(NotFoundError):
                found.append(self.sequences.get(business_id, sequence_id))
        return Page(found, page.next_cursor)

    def enrol(
        self, business_id: str, sequence_id: str, customer_id: str, entry_key: str, field: str = "customer_id"
    ) -> bool:
        """Begin one for a customer, whatever its trigger; whether they have begun it now.

        ``field`` is the field by which the client named the customer. Raises ``NotFoundError`` for the sequence,
        ``InvalidInputError`` for the customer, and ``ConflictError`` while it is off.
        """
        sequence = self.sequences.known(business_id, sequence_id)
        _refuse_if_leaving(sequence)
        if not sequence.is_on:
            raise ConflictError("sequence_off", "The sequence is off: nobody begins it. Switch it on first.")
        try:
            self.customers.get(business_id, customer_id)
        except NotFoundError:
            raise InvalidInputError(FieldError(field, "There is no such customer.")) from None
        happened = Happened(kind=Kind.CUSTOM, key=f"by-hand#{entry_key}", at=self.clock.now())
        return self.hear.enter(sequence, customer_id, happened)

    def take_out(self, business_id: str, sequence_id: str, customer_id: str) -> bool:
        """Have a customer leave one, by hand; ``False`` for who has left it already.

        What is on its way to them goes out. Raises ``NotFoundError`` for the sequence, and for who was never in it.
        """
        sequence = self.sequences.known(business_id, sequence_id)
        key = EnrolmentKey(business_id, customer_id, sequence_id)

        def write() -> bool:
            found = self.enrolments.get_many([key]).get(key)
            if found is None or found.uid != sequence.uid:
                raise NotFoundError("enrolment")
            if found.is_over:
                return False
            once = sequence.definition.reentry is Reentry.NEVER
            self.enrolments.replace(found, found.left(LeftBecause.REMOVED, self.clock.now()), once=once)
            return True

        is_new = retried(write)
        if sequence.definition.plans_again:
            self.hear.plan(sequence, customer_id)
        return is_new

    def _after(
        self, business_id: str, sequence_id: str, wanted: Wanted, before: SavedSequence | None, now: datetime
    ) -> SavedSequence:
        if before is None:
            if len(self.sequences.all(business_id)) >= MOST_SEQUENCES:
                raise ConflictError(
                    "too_many_sequences", f"A business has at most {MOST_SEQUENCES} sequences; delete one first."
                )
            return SavedSequence(
                business_id=business_id,
                sequence_id=sequence_id,
                uid=self.ids.ulid(now),
                name=wanted.name,
                status=wanted.status,
                version=1,
                definition=wanted.definition,
                late=wanted.late,
                created_at=now,
                updated_at=now,
                switched_at=now,
            )
        after = replace(before.stands(wanted.status, wanted.late, now), name=wanted.name)
        if wanted.definition != before.definition:
            after = replace(after, definition=wanted.definition, version=before.version + 1)
        return after if after == before else replace(after, updated_at=now)

    def _leaving(self, sequence: SavedSequence) -> SavedSequence:
        """It, as one that is being deleted. Raises ``ConcurrentChangeError``."""
        if sequence.owes is Owes.DELETION:
            return sequence
        now = self.clock.now()
        off = sequence.stands(SequenceStatus.OFF, sequence.late, now)
        self.sequences.save(replace(off, owes=Owes.DELETION, updated_at=now))
        leaving = self.sequences.get(sequence.business_id, sequence.sequence_id)
        if leaving.owes is not Owes.DELETION or leaving.uid != sequence.uid:
            raise ConcurrentChangeError
        return leaving

    def _followed(self, business_id: str, sequence_id: str) -> SavedSequence:
        """It, once what and who waited for it to be on goes on; whoever dies before that is asked again.

        Raises ``ConcurrentChangeError`` where somebody else has written it meanwhile.
        """
        sequence = self.sequences.get(business_id, sequence_id)
        if not sequence.is_on:
            return sequence
        self.looks(sequence)
        if sequence.definition.trigger.is_planned:
            # What is to come may have been told before it was listened for.
            self._start(sequence, PLAN, sequence.switched_at, f"{sequence.switched_at.isoformat()}#{sequence.version}")
        if sequence.owes is not Owes.GOING_ON:
            return sequence
        self.carriers.resume(sequence)
        self._start(sequence, LAPSE if sequence.late is Late.LAPSE else WAKE, sequence.switched_at)
        self.sequences.save(replace(sequence, owes=None))
        return self.sequences.get(business_id, sequence_id)

    def _start(self, sequence: SavedSequence, what: str, at: datetime, state: str | None = None) -> None:
        """Start the job; another of the same name and time is the same, in the same ``state`` of the sequence."""
        own = {"sequence_id": sequence.sequence_id, "uid": sequence.uid}
        asked = {**own, "what": what, "at": sequence.switched_at.isoformat()}
        named = f"sequence#{sequence.business_id}#{sequence.uid}#{what}#{state or sequence.row_version}"
        job_id = derived_ulid(at, named)
        self.job_service.start(sequence.business_id, JobKind.SEQUENCE, asked, in_one=True, job_id=job_id)

    def _expected(self, business_id: str, sequence_id: str, tags: Sequence[str] | None) -> SavedSequence | None:
        try:
            found = self.sequences.get(business_id, sequence_id)
        except NotFoundError:
            if tags is not None:
                raise ChangedMeanwhileError("There is no such sequence any more.") from None
            return None
        if found.owes is Owes.DELETION:
            return found
        if tags is not None and "*" not in tags and tag_of(found) not in tags:
            raise ChangedMeanwhileError("The sequence has been changed since it was read.")
        return found

    def _segments_for(
        self, business_id: str, definition: Definition, before: SavedSequence | None
    ) -> SavedSegments | None:
        """The segments of the business, where it names any; read before they are checked."""
        if not definition.segments or (before is not None and before.definition == definition):
            return None
        return self.segments.all(business_id)


def _refuse_if_leaving(sequence: KnownSequence) -> None:
    if sequence.owes is Owes.DELETION:
        raise ConflictError(
            "sequence_being_deleted", "The sequence is being deleted. Delete it once more to bring that to its end."
        )


def tag_of(sequence: SavedSequence) -> str:
    """By what a client knows the state of a sequence."""
    return str(sequence.row_version)
