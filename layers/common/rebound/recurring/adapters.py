"""Recurring campaigns in the Directory table; in the Recurring table, who got what last, and their occurrences."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from copy import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from msgspec import convert, to_builtins
from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from rebound.jobs.domain import JobProgress
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import NotFoundError
from rebound.kernel.pages import Page, read_cursor
from rebound.messages.domain.vouchers import Voucher
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import (
    ULID_KEYS,
    DateAttribute,
    DirectoryRow,
    JsonAttribute,
    Model,
    bind,
    expiry,
    lost_races,
    next_version,
    page_of,
    read_instant,
    transaction,
    write_instant,
)
from rebound.recurring.domain.looks import Insight
from rebound.recurring.domain.marking import Marking, parts_of
from rebound.recurring.domain.recurring_campaigns import Audience, Period, RecurringCampaign, RecurringStatus
from rebound.templates.domain.content import read_said, written_said

if TYPE_CHECKING:
    from rebound.campaigns.ports import MemberTransactions
    from rebound.jobs.ports import JobTransactions
    from rebound.segments.domain.segments import SavedSegments
    from rebound.segments.ports import SegmentTransactions

LOOK_KEPT: Final = timedelta(days=30)
"""As long as its job."""
_INSIGHT: Final = "insight"
_LOOK: Final = "look#"
_OCCURRENCE: Final = "occurrence#"


class DynamoRecurringBook(Directory):
    """Implements ``RecurringBook``."""

    kind = "recurring"

    def __init__(self, table_name: str, segments: SegmentTransactions) -> None:
        super().__init__(table_name)
        self._segments = segments

    def get(self, business_id: str, recurring_id: str) -> RecurringCampaign:
        try:
            row = self.row.get(business_id, self.entry(recurring_id), consistent_read=True)
        except self.row.DoesNotExist:
            raise NotFoundError("recurring campaign") from None
        return _recurring(row)

    def add(self, recurring: RecurringCampaign, segments: SavedSegments | None = None) -> None:
        self._save(recurring, DirectoryRow.entry_id.does_not_exist(), segments)

    def replace(
        self, before: RecurringCampaign, after: RecurringCampaign, segments: SavedSegments | None = None
    ) -> None:
        self._save(replace(after, version=before.version), DirectoryRow.version == before.version, segments)

    def _save(self, recurring: RecurringCampaign, condition: Any, segments: SavedSegments | None) -> None:
        if segments is None:
            with lost_races():
                self._row(recurring).save(condition=condition)
            return
        with transaction(self.row) as writes:
            writes.save(self._row(recurring), condition=condition)
            self._segments.use_within(writes, recurring.business_id, segments)

    def delete(self, recurring: RecurringCampaign) -> None:
        with lost_races():
            self._row(recurring).delete(condition=DirectoryRow.version == recurring.version)

    def page(self, business_id: str, limit: int, cursor: str | None) -> Page[RecurringCampaign]:
        def read(recurring_id: str, document: Mapping[str, Any]) -> RecurringCampaign:
            return _read(business_id, recurring_id, document, document["version"])

        return self.page_documents(business_id, limit, cursor, read)

    def using(self, business_id: str, segment_id: str) -> Sequence[str]:
        rows = self.row.query(business_id, DirectoryRow.entry_id.startswith(self.entry("")), consistent_read=True)
        return [each.recurring_id for each in map(_recurring, rows) if segment_id in each.segments]

    def _row(self, recurring: RecurringCampaign) -> DirectoryRow:
        version = next_version(recurring.version)
        document = {**_written(recurring), "version": version}
        return self.row(recurring.business_id, self.entry(recurring.recurring_id), document=document, version=version)


def _written(recurring: RecurringCampaign) -> dict[str, Any]:
    return {
        "name": recurring.name,
        "category": recurring.category,
        "channel": recurring.channel,
        "content": written_said(recurring.content),
        "audience": to_builtins(recurring.audience),
        "at": recurring.at.isoformat(),
        "local": recurring.local,
        "exclude_failed": recurring.exclude_failed,
        "catch_up_hours": recurring.catch_up_hours,
        "backlog": recurring.backlog,
        "voucher": to_builtins(recurring.voucher),
        "status": recurring.status,
        "periods": to_builtins(recurring.periods),
        "created_at": write_instant(recurring.created_at),
        "updated_at": write_instant(recurring.updated_at),
    }


def _recurring(row: DirectoryRow) -> RecurringCampaign:
    return _read(row.business_id, row.entry_id.split("#", 1)[1], row.document, int(row.version or 0))


def _read(business_id: str, recurring_id: str, document: Mapping[str, Any], version: int) -> RecurringCampaign:
    return RecurringCampaign(
        business_id=business_id,
        recurring_id=recurring_id,
        name=document["name"],
        category=Category(document["category"]),
        channel=Channel(document["channel"]),
        content=read_said(document["content"]),
        audience=convert(document["audience"], Audience),
        at=time.fromisoformat(document["at"]),
        local=document["local"],
        exclude_failed=document["exclude_failed"],
        catch_up_hours=document["catch_up_hours"],
        backlog=document["backlog"],
        voucher=convert(document.get("voucher"), Voucher | None),
        status=RecurringStatus(document["status"]),
        periods=convert(document["periods"], tuple[Period, ...]),
        created_at=read_instant(document["created_at"]),
        updated_at=read_instant(document["updated_at"]),
        version=version,
    )


class MarkRow(Model):
    """``owner`` = ``<business>#<customer>``, ``entry`` = ``mark#<series>``: what somebody got it for last."""

    owner = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    mark = DateAttribute()


class OccurrenceRow(Model):
    """``owner`` = ``<business>#<recurring campaign>``, ``entry`` = ``occurrence#<campaign>``."""

    owner = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    day = DateAttribute()


class LookRow(Model):
    """``owner`` = ``<business>#<recurring campaign>``, ``entry`` = ``look#<job>``: a look that has not ended."""

    owner = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    expires_at = NumberAttribute()


class InsightRow(Model):
    """``owner`` = ``<business>#<recurring campaign>``, ``entry`` = ``insight``: what looks have found out."""

    owner = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    document = JsonAttribute()


class DynamoMarkBook:
    """Implements ``MarkBook``."""

    def __init__(self, table_name: str, jobs: JobTransactions, members: MemberTransactions) -> None:
        self._row = bind(MarkRow, table_name)
        self._jobs = jobs
        self._members = members

    def known(self, business_id: str, series: str, customer_ids: Collection[str]) -> Mapping[str, date]:
        if not customer_ids:
            return {}
        keys = [(_owner(business_id, customer_id), f"mark#{series}") for customer_id in customer_ids]
        found = self._row.batch_get(keys, consistent_read=True)
        return {row.owner.rpartition("#")[2]: row.mark for row in found}

    def commit(
        self, business_id: str, series: str, progress: JobProgress, marked: Sequence[Marking] = ()
    ) -> JobProgress:
        with self._jobs.committing(progress) as writes:
            for one in marked:
                row = self._row(_owner(business_id, one.customer_id), f"mark#{series}", mark=one.mark)
                as_read = MarkRow.mark.does_not_exist() if one.known is None else MarkRow.mark == one.known
                writes.save(row, condition=as_read)
            for part, campaign_id in parts_of(progress, marked):
                self._members.add_within(writes, campaign_id, part)
        return replace(progress, version=progress.version + 1)

    def forget(self, business_id: str, customer_id: str) -> None:
        for row in self._row.query(_owner(business_id, customer_id), MarkRow.entry.startswith("mark#")):
            row.delete()


class DynamoOccurrences:
    """Implements ``Occurrences``."""

    def __init__(self, table_name: str) -> None:
        self._occurrence = bind(OccurrenceRow, table_name)
        self._look = bind(LookRow, table_name)
        self._insight = bind(InsightRow, table_name)

    def note(self, business_id: str, recurring_id: str, campaign_id: str, day: date) -> None:
        self._occurrence(_owner(business_id, recurring_id), f"{_OCCURRENCE}{campaign_id}", day=day).save()

    def page(self, business_id: str, recurring_id: str, limit: int, cursor: str | None) -> Page[str]:
        before = read_cursor(cursor, ULID_KEYS)
        owner = _owner(business_id, recurring_id)
        start: dict[str, Any] | None = None
        if before is not None:
            start = {"owner": {"S": owner}, "entry": {"S": f"{_OCCURRENCE}{before}"}}
        found = self._occurrence.query(
            owner,
            OccurrenceRow.entry.startswith(_OCCURRENCE),
            scan_index_forward=False,
            limit=limit,
            page_size=limit,
            last_evaluated_key=start,
            consistent_read=True,
        )
        return page_of(found, _campaign_of, _campaign_of)

    def begin(self, business_id: str, recurring_id: str, job_id: str) -> None:
        expires_at = expiry(datetime.now(UTC), LOOK_KEPT)
        self._look(_owner(business_id, recurring_id), f"{_LOOK}{job_id}", expires_at=expires_at).save()

    def end(self, business_id: str, recurring_id: str, job_id: str) -> None:
        self._look(_owner(business_id, recurring_id), f"{_LOOK}{job_id}").delete()

    def under_way(self, business_id: str, recurring_id: str) -> Sequence[str]:
        found = self._look.query(_owner(business_id, recurring_id), LookRow.entry.startswith(_LOOK), limit=10)
        return [row.entry.removeprefix(_LOOK) for row in found]

    def insight(self, business_id: str, recurring_id: str) -> Insight:
        with suppress(self._insight.DoesNotExist):
            row = self._insight.get(_owner(business_id, recurring_id), _INSIGHT, consistent_read=True)
            return convert(row.document, Insight)
        return Insight()

    def learn(self, business_id: str, recurring_id: str, insight: Insight) -> None:
        self._insight(_owner(business_id, recurring_id), _INSIGHT, document=to_builtins(insight)).save()


def _owner(business_id: str, whose: str) -> str:
    return f"{business_id}#{whose}"


def _campaign_of(row: OccurrenceRow) -> str:
    return row.entry.removeprefix(_OCCURRENCE)
