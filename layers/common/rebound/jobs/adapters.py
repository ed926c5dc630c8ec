"""Jobs in the Directory table, their progress and frozen lists in the Chunks table, and what runs them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from rebound.jobs.domain import (
    FrozenCustomer,
    FrozenPage,
    Job,
    JobKind,
    JobProgress,
    JobStatus,
    Spared,
)
from rebound.kernel.errors import NotFoundError
from rebound.kernel.ids import part_name, range_name
from rebound.platform.adapters.aws import start_once
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import (
    DirectoryRow,
    JsonAttribute,
    Model,
    as_read,
    bind,
    expiry,
    lost_races,
    read_instant,
    transaction,
    write_instant,
)

if TYPE_CHECKING:
    from pynamodb.transactions import TransactWrite


class JobRangeRow(Model):
    """In the Chunks table, ``campaign_id`` = a job's id, ``chunk`` = ``phase#<phase>#<index>``: progress of a range."""

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    cursor = UnicodeAttribute(null=True)
    counts = JsonAttribute()
    spared = JsonAttribute()
    done = BooleanAttribute()
    version = NumberAttribute()
    expires_at = NumberAttribute()


class FrozenRow(Model):
    """In the Chunks table, ``campaign_id`` = a job's id, ``chunk`` = ``frozen#<index>#<number>``: part of a list."""

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    customers = JsonAttribute()
    expires_at = NumberAttribute()


KEPT: Final = timedelta(days=30)
_FROZEN: Final = "frozen"


class DynamoJobBook(Directory):
    """Implements ``JobBook``; a job is forgotten after 30 days."""

    kind = "job"

    def get(self, business_id: str, job_id: str) -> Job:
        try:
            return _job(self.row.get(business_id, self.entry(job_id), consistent_read=True))
        except self.row.DoesNotExist:
            raise NotFoundError("job") from None

    def newest(self, business_id: str, limit: int, before: str | None = None) -> Sequence[Job]:
        return list(map(_job, self.newest_rows(business_id, limit, before)))

    def add(self, job: Job) -> None:
        self._save(job, DirectoryRow.entry_id.does_not_exist())

    def replace(self, job: Job) -> None:
        self._save(job, DirectoryRow.version == job.version)

    def _save(self, job: Job, condition: Any) -> None:
        document = {
            "kind": job.kind,
            "request": job.request,
            "ranges": job.ranges,
            "created_at": write_instant(job.created_at),
            "status": job.status,
            "phase": job.phase,
            "run": job.run,
            "reason": job.reason,
            "ended_at": write_instant(job.ended_at) if job.ended_at else None,
            "by": job.by,
            "about": job.about,
        }
        row = self.row(
            job.business_id,
            self.entry(job.job_id),
            document=document,
            version=job.version + 1,
            expires_at=expiry(job.created_at, KEPT),
        )
        with lost_races():
            row.save(condition=condition)


def _job(row: DirectoryRow) -> Job:
    document = row.document
    return Job(
        business_id=row.business_id,
        job_id=row.entry_id.split("#", 1)[1],
        kind=JobKind(document["kind"]),
        request=document["request"],
        ranges=document["ranges"],
        created_at=read_instant(document["created_at"]),
        status=JobStatus(document["status"]),
        phase=document["phase"],
        run=document["run"],
        reason=document["reason"],
        ended_at=read_instant(document["ended_at"]) if document["ended_at"] else None,
        version=int(row.version or 0),
        by=document.get("by"),
        about=document.get("about"),
    )


class DynamoJobLedger:
    """Implements ``JobLedger``."""

    def __init__(self, chunks_table: str) -> None:
        self._row = bind(JobRangeRow, chunks_table)
        self._frozen_row = bind(FrozenRow, chunks_table)

    def get(self, job_id: str, phase: int, index: int) -> JobProgress:
        try:
            return _progress(self._row.get(job_id, range_name(_phase(phase), index), consistent_read=True))
        except self._row.DoesNotExist:
            return JobProgress(job_id, phase, index)

    def commit(self, progress: JobProgress, frozen: FrozenPage | None = None) -> JobProgress:
        with self.committing(progress, frozen):
            pass
        return replace(progress, version=progress.version + 1)

    @contextmanager
    def committing(self, progress: JobProgress, frozen: FrozenPage | None = None) -> Iterator[TransactWrite]:
        """``commit`` as a part of a larger transaction."""
        expires_at = expiry(datetime.now(UTC), KEPT)
        row = self._row(
            campaign_id=progress.job_id,
            chunk=range_name(_phase(progress.phase), progress.index),
            cursor=progress.cursor,
            counts=dict(progress.counts),
            spared=[[one.customer_id, one.reason, one.external_id] for one in progress.spared],
            done=progress.done,
            version=progress.version + 1,
            expires_at=expires_at,
        )
        with transaction(self._row) as writes:
            writes.save(row, condition=as_read(JobRangeRow, progress.version))
            if frozen is not None:
                listed = [[one.customer_id, write_instant(one.updated_at)] for one in frozen.customers]
                name = part_name(_FROZEN, frozen.index, frozen.number)
                writes.save(self._frozen_row(frozen.job_id, name, customers=listed, expires_at=expires_at))
            yield writes

    def list(self, job_id: str, phase: int) -> Sequence[JobProgress]:
        rows = self._row.query(job_id, JobRangeRow.chunk.startswith(f"{_phase(phase)}#"), consistent_read=True)
        return [_progress(row) for row in rows]

    def frozen(self, job_id: str, index: int, number: int) -> FrozenPage | None:
        try:
            row = self._frozen_row.get(job_id, part_name(_FROZEN, index, number), consistent_read=True)
        except self._frozen_row.DoesNotExist:
            return None
        listed = tuple(FrozenCustomer(customer_id, read_instant(at)) for customer_id, at in row.customers)
        return FrozenPage(job_id, index, number, listed)


def _phase(phase: int) -> str:
    return f"phase#{phase}"


def _progress(row: JobRangeRow) -> JobProgress:
    _, phase, index = row.chunk.split("#")
    return JobProgress(
        job_id=row.campaign_id,
        phase=int(phase),
        index=int(index),
        cursor=row.cursor,
        counts=dict(row.counts),
        spared=tuple(Spared(*one) for one in row.spared),
        done=row.done,
        version=int(row.version),
    )


class StepFunctionsJobRunner:
    """Implements ``JobRunner``. An execution is named after its job and run, so starting a run twice starts it once."""

    def __init__(self, stepfunctions: Any, state_machine_arn: str) -> None:
        self._stepfunctions = stepfunctions
        self._state_machine_arn = state_machine_arn

    def start(self, business_id: str, job_id: str, run: int) -> None:
        what = {"business_id": business_id, "job_id": job_id}
        start_once(self._stepfunctions, self._state_machine_arn, f"{job_id}-{run}", what)
