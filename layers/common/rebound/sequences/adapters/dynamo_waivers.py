"""Waivers in the Directory table, and in the Sequences table who was asked to sign them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import replace
from typing import Any, Final

from msgspec import convert, to_builtins
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from rebound.kernel.channels import Channel
from rebound.kernel.errors import NotFoundError
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import (
    DirectoryRow,
    InstantAttribute,
    JsonAttribute,
    Model,
    as_read,
    bind,
    lost_races,
    next_version,
)
from rebound.sequences.domain.results import CountedChange
from rebound.sequences.domain.waivers import (
    Ask,
    AskKey,
    AskState,
    Waiver,
    WaiverVersion,
    ask_counts_of,
    sequence_of,
    waiver_of,
)

_ASK: Final = "ask#"


class AskRow(Model):
    """``part`` = ``<business>#waiver:<waiver>``, ``entry`` = ``ask#<customer>``."""

    part = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    number = NumberAttribute()
    state = UnicodeAttribute()
    asked_at = InstantAttribute()
    asked_by = NumberAttribute()
    channel = UnicodeAttribute(null=True)
    attempt = NumberAttribute()
    is_told = BooleanAttribute()
    gone_by = InstantAttribute(null=True)
    former = JsonAttribute()
    row_version = NumberAttribute()


class DynamoWaiverBook(Directory):
    """Implements ``WaiverBook``."""

    kind = "waiver"

    def get(self, business_id: str, waiver_id: str) -> Waiver:
        try:
            return _waiver(self.row.get(business_id, self.entry(waiver_id), consistent_read=True))
        except self.row.DoesNotExist:
            raise NotFoundError("waiver") from None

    def all(self, business_id: str) -> Sequence[Waiver]:
        rows = self.row.query(business_id, DirectoryRow.entry_id.startswith(self.entry("")), consistent_read=True)
        return list(map(_waiver, rows))

    def save(self, waiver: Waiver) -> Waiver:
        version = next_version(waiver.row_version)
        document = {"versions": to_builtins(waiver.versions)}
        row = self.row(waiver.business_id, self.entry(waiver.waiver_id), document=document, version=version)
        with lost_races():
            row.save(condition=as_read(DirectoryRow, waiver.row_version))
        return replace(waiver, row_version=version)


class DynamoAskBook:
    """Implements ``AskBook``."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(AskRow, table_name)

    def get(self, key: AskKey) -> Ask | None:
        try:
            row = self._row.get(_part(key.business_id, key.waiver_id), _entry(key), consistent_read=True)
        except self._row.DoesNotExist:
            return None
        return _ask(key, row)

    def save(self, ask: Ask) -> Ask:
        key, version = ask.key, next_version(ask.row_version)
        row = self._row(
            _part(key.business_id, key.waiver_id),
            _entry(key),
            number=ask.number,
            state=ask.state,
            asked_at=ask.asked_at,
            asked_by=ask.asked_by,
            channel=ask.channel,
            attempt=ask.attempt,
            is_told=ask.is_told,
            gone_by=ask.gone_by,
            former={str(number): state for number, state in ask.former.items()},
            row_version=version,
        )
        unchanged = AskRow.row_version == ask.row_version if ask.row_version else AskRow.row_version.does_not_exist()
        with lost_races():
            row.save(condition=unchanged)
        return replace(ask, row_version=version)

    def forget(self, key: AskKey) -> None:
        # As enrolments are, so that who erases needs no more than for these.
        with self._row.batch_write() as batch:
            batch.delete(self._row(_part(key.business_id, key.waiver_id), _entry(key)))


def ask_change_of(record: Mapping[str, Any]) -> CountedChange | None:
    """What a record of the table's stream adds to the counts; ``None`` where nobody is asked, or nothing is added."""
    change = record["dynamodb"]
    part, entry = (change["Keys"][name]["S"] for name in ("part", "entry"))
    if not entry.startswith(_ASK):
        return None
    business_id, sequence_id = part.split("#")
    key = AskKey(business_id, waiver_of(sequence_id) or "", entry.removeprefix(_ASK))
    rows = [AskRow.from_raw_data(change[name]) if name in change else None for name in ("OldImage", "NewImage")]
    before, after = (None if row is None else _ask(key, row) for row in rows)
    counts = ask_counts_of(before, after)
    return CountedChange(change["SequenceNumber"], business_id, sequence_id, counts) if counts else None


def _ask(key: AskKey, row: AskRow) -> Ask:
    return Ask(
        key=key,
        number=int(row.number),
        state=AskState(row.state),
        asked_at=row.asked_at,
        asked_by=int(row.asked_by),
        channel=Channel(row.channel) if row.channel else None,
        attempt=int(row.attempt),
        is_told=row.is_told,
        gone_by=row.gone_by,
        former=_read_states(row.former),
        row_version=int(row.row_version),
    )


def _waiver(row: DirectoryRow) -> Waiver:
    return Waiver(
        business_id=row.business_id,
        waiver_id=row.entry_id.split("#", 1)[1],
        versions=convert(row.document["versions"], tuple[WaiverVersion, ...]),
        row_version=int(row.version or 0),
    )


def _read_states(stored: Mapping[str, str]) -> Mapping[int, AskState]:
    return {int(number): AskState(state) for number, state in stored.items()}


def _part(business_id: str, waiver_id: str) -> str:
    return f"{business_id}#{sequence_of(waiver_id)}"


def _entry(key: AskKey) -> str:
    return f"{_ASK}{key.customer_id}"
