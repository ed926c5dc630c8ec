"""Who stands where in which sequence, in the Sequences table, and what carries the messages of the steps."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from copy import replace
from datetime import UTC, datetime
from typing import Any, Final

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from rebound.kernel.errors import ConcurrentChangeError
from rebound.kernel.pages import Page, read_cursor, write_cursor
from rebound.platform.adapters.dynamo import (
    InstantAttribute,
    JsonAttribute,
    Model,
    TextListAttribute,
    bind,
    expiry,
    lost_races,
    next_version,
    read_instant,
    transaction,
    write_instant,
)
from rebound.sequences.domain.enrolments import (
    KEPT_AFTER,
    Enrolment,
    EnrolmentKey,
    LeftBecause,
    Stage,
    Stood,
    entry_name,
)
from rebound.sequences.domain.heard import Heard
from rebound.sequences.domain.results import CountedChange, counts_of

SHARDS: Final = ("01234567", "89abcdef")
"""The parts in which a sequence's enrolments are kept, by the first digit of the customers' ids.

Few, so that a page of a short list is few requests. Each takes a thousand writes a second at once, and more once
DynamoDB has split it, which it does because the ids are spread evenly.
"""
_NOW: Final = "now#"
_ENTRY: Final = "entry#"
_CURSORS: Final = re.compile(r"[0-9a-f]{32}")


class EnrolmentRow(Model):
    """``part`` = ``<business>#<sequence>#<first digit of the shard>``, ``entry`` = ``now#<customer>``."""

    part = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    version = NumberAttribute()
    entry_key = UnicodeAttribute()
    entered_at = InstantAttribute()
    standing = UnicodeAttribute()
    step_id = UnicodeAttribute(null=True)
    since = InstantAttribute()
    wake_at = InstantAttribute(null=True)
    batch = UnicodeAttribute(null=True)
    left_because = UnicodeAttribute(null=True)
    uid = UnicodeAttribute()
    through = JsonAttribute(null=True)
    moved_by = UnicodeAttribute(null=True)
    stood = JsonAttribute(null=True)
    began_at = InstantAttribute(null=True)
    heard = JsonAttribute(null=True)
    caused_by = TextListAttribute(null=True)
    template_version = NumberAttribute(null=True)
    about = UnicodeAttribute(null=True)
    due_at = InstantAttribute(null=True)
    former = TextListAttribute(null=True)
    row_version = NumberAttribute()
    expires_at = NumberAttribute(null=True)


class EntryRow(Model):
    """In the part of its enrolment, ``entry`` = ``entry#<customer>#<hash of the key>``: what has begun one."""

    part = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    expires_at = NumberAttribute()


class CarrierRow(Model):
    """``part`` = ``<business>#<sequence's uid>``, ``entry`` = the id of a campaign that carries messages of a step."""

    part = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)


class DynamoEnrolmentBook:
    """Implements ``EnrolmentBook``."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(EnrolmentRow, table_name)
        self._entry = bind(EntryRow, table_name)

    def get_many(self, keys: Collection[EnrolmentKey]) -> Mapping[EnrolmentKey, Enrolment]:
        if not keys:
            return {}
        places = {(_part(key), _now(key)): key for key in keys}
        found = self._row.batch_get(list(places), consistent_read=True)
        return {places[row.part, row.entry]: _enrolment(places[row.part, row.entry], row) for row in found}

    def enter(self, enrolment: Enrolment, before: Enrolment | None, *, once: bool) -> bool:
        row, condition = self._written(enrolment, before)
        if once:
            with lost_races():
                row.save(condition=condition)
            return True
        key = enrolment.key
        known = self._entry(
            _part(key),
            f"{_ENTRY}{key.customer_id}#{entry_name(enrolment.entry_key)}",
            expires_at=expiry(enrolment.entered_at, KEPT_AFTER),
        )
        try:
            with transaction(self._row) as writes:
                writes.save(row, condition=condition)
                writes.save(known, condition=EntryRow.entry.does_not_exist())
        except ConcurrentChangeError:
            if self._is_known(known):
                return False
            raise
        return True

    def _is_known(self, known: EntryRow) -> bool:
        try:
            self._entry.get(known.part, known.entry, consistent_read=True)
        except self._entry.DoesNotExist:
            return False
        return True

    def replace(self, before: Enrolment, after: Enrolment, *, once: bool = True) -> Enrolment:
        row, condition = self._written(after, before, keeps=once or not after.is_over)
        with lost_races():
            row.save(condition=condition)
        return replace(after, row_version=int(row.row_version))

    def _written(self, after: Enrolment, before: Enrolment | None, *, keeps: bool = True) -> tuple[EnrolmentRow, Any]:
        read = 0 if before is None else before.row_version
        row = self._row(
            _part(after.key),
            _now(after.key),
            version=after.version,
            entry_key=after.entry_key,
            entered_at=after.entered_at,
            standing=after.standing,
            step_id=after.step_id,
            since=after.since,
            wake_at=after.wake_at,
            batch=after.batch,
            left_because=after.left_because,
            uid=after.uid,
            through=after.through or None,
            moved_by=after.moved_by,
            stood=[[each.version, write_instant(each.until), each.steps] for each in after.stood] or None,
            began_at=after.began_at,
            heard=[_written(each) for each in after.heard] or None,
            caused_by=list(after.caused_by) or None,
            template_version=after.template_version,
            about=after.about,
            due_at=after.due_at,
            former=list(after.former) or None,
            row_version=next_version(read),
            expires_at=None if keeps else expiry(datetime.now(UTC), KEPT_AFTER),
        )
        if read:
            return row, EnrolmentRow.row_version == read
        return row, EnrolmentRow.row_version.does_not_exist()

    def page(self, business_id: str, sequence_id: str, limit: int, cursor: str | None) -> Page[Enrolment]:
        after = read_cursor(cursor, _CURSORS)
        found: list[Enrolment] = []
        for shard in SHARDS:
            if after is not None and shard[-1] < after[0]:
                continue
            if len(found) > limit:
                break
            found += self._of_shard(business_id, sequence_id, shard, limit + 1 - len(found), after)
        more = len(found) > limit
        return Page(found[:limit], write_cursor(found[limit - 1].key.customer_id) if more else None)

    def _of_shard(
        self, business_id: str, sequence_id: str, shard: str, limit: int, after: str | None
    ) -> Sequence[Enrolment]:
        part = f"{business_id}#{sequence_id}#{shard[0]}"
        start = None
        if after is not None and after[0] in shard:
            start = {"part": {"S": part}, "entry": {"S": f"{_NOW}{after}"}}
        rows = self._row.query(
            part,
            EnrolmentRow.entry.startswith(_NOW),
            limit=limit,
            page_size=limit,
            last_evaluated_key=start,
            consistent_read=True,
        )
        return [_enrolment(EnrolmentKey(business_id, row.entry.removeprefix(_NOW), sequence_id), row) for row in rows]

    def forget(self, enrolment: Enrolment) -> None:
        key = enrolment.key
        entries = self._entry.query(_part(key), EntryRow.entry.startswith(f"{_ENTRY}{key.customer_id}#"))
        with self._row.batch_write() as batch:
            for row in entries:
                batch.delete(self._row(row.part, row.entry))
            batch.delete(self._row(_part(key), _now(key)))


def enrolment_change_of(record: Mapping[str, Any]) -> CountedChange | None:
    """What a record of the table's stream adds to the counts; ``None`` where it is no enrolment, or adds nothing."""
    change = record["dynamodb"]
    if not change["Keys"]["entry"]["S"].startswith(_NOW):
        return None
    rows = [EnrolmentRow.from_raw_data(change[name]) if name in change else None for name in ("OldImage", "NewImage")]
    key = _key(change["Keys"]["part"]["S"], change["Keys"]["entry"]["S"])
    before, after = (None if row is None else _enrolment(key, row) for row in rows)
    counts, either = counts_of(before, after), after or before
    if either is None or not counts:
        return None
    return CountedChange(change["SequenceNumber"], key.business_id, either.uid, counts)


class DynamoStepCarriers:
    """Implements ``StepCarriers``."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(CarrierRow, table_name)

    def note(self, business_id: str, uid: str, campaign_id: str) -> None:
        self._row(f"{business_id}#{uid}", campaign_id).save()

    def of(self, business_id: str, uid: str) -> Sequence[str]:
        return [row.entry for row in self._row.query(f"{business_id}#{uid}", consistent_read=True)]


def _written(heard: Heard) -> list[str]:
    return [heard.name, write_instant(heard.at), write_instant(heard.heard_at), *heard.ends]


def _heard(written: Sequence[str]) -> Heard:
    name, at, heard_at, *ends = written
    return Heard(name, read_instant(at), read_instant(heard_at), tuple(ends))


def _number(read: float | None) -> int | None:
    return None if read is None else int(read)


def _part(key: EnrolmentKey) -> str:
    [first] = [shard[0] for shard in SHARDS if key.customer_id[0] in shard]
    return f"{key.business_id}#{key.sequence_id}#{first}"


def _key(part: str, entry: str) -> EnrolmentKey:
    business_id, sequence_id, _ = part.rsplit("#", 2)
    return EnrolmentKey(business_id, entry.removeprefix(_NOW), sequence_id)


def _now(key: EnrolmentKey) -> str:
    return f"{_NOW}{key.customer_id}"


def _enrolment(key: EnrolmentKey, row: EnrolmentRow) -> Enrolment:
    return Enrolment(
        key=key,
        version=int(row.version),
        entry_key=row.entry_key,
        entered_at=row.entered_at,
        standing=Stage(row.standing),
        step_id=row.step_id,
        since=row.since,
        wake_at=row.wake_at,
        batch=row.batch,
        left_because=LeftBecause(row.left_because) if row.left_because else None,
        uid=row.uid,
        through=tuple((step_id, way) for step_id, way in row.through or ()),
        moved_by=row.moved_by,
        stood=tuple(Stood(version, read_instant(until), steps) for version, until, steps in row.stood or ()),
        began_at=row.began_at,
        heard=tuple(map(_heard, row.heard or ())),
        caused_by=tuple(row.caused_by or ()),
        template_version=_number(row.template_version),
        about=row.about,
        due_at=row.due_at,
        former=tuple(row.former or ()),
        row_version=int(row.row_version),
    )
