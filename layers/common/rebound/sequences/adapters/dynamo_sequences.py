"""Sequences and their versions in the Directory table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rebound.kernel.errors import NotFoundError
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import (
    DirectoryRow,
    as_read,
    next_version,
    read_instant,
    transaction,
    write_instant,
)
from rebound.sequences.adapters.documents import read_definition, written_definition
from rebound.sequences.domain.sequences import Late, Owes, SavedSequence, SequenceStatus

if TYPE_CHECKING:
    from datetime import datetime

    from rebound.campaigns.ports import GateTransactions
    from rebound.segments.domain.segments import SavedSegments
    from rebound.segments.ports import SegmentTransactions
    from rebound.sequences.domain.sequences import Definition

_VERSION: Final = "sequence-version"


class DynamoSequenceBook(Directory):
    """Implements ``SequenceBook``. A version is a row of its own, which is written once."""

    kind = "sequence"

    def __init__(self, table_name: str, segments: SegmentTransactions, gates: GateTransactions) -> None:
        super().__init__(table_name)
        self._segments = segments
        self._gates = gates

    def get(self, business_id: str, sequence_id: str) -> SavedSequence:
        try:
            return _sequence(self.row.get(business_id, self.entry(sequence_id), consistent_read=True))
        except self.row.DoesNotExist:
            raise NotFoundError("sequence") from None

    def version(self, business_id: str, sequence_id: str, version: int) -> Definition:
        try:
            row = self.row.get(business_id, _version_entry(sequence_id, version), consistent_read=True)
        except self.row.DoesNotExist:
            raise NotFoundError("sequence version") from None
        return read_definition(row.document)

    def versions(self, business_id: str, sequence_id: str, numbers: Collection[int]) -> Mapping[int, Definition]:
        places = {_version_entry(sequence_id, number): number for number in numbers}
        if not places:
            return {}
        found = self.row.batch_get([(business_id, place) for place in places])
        return {places[row.entry_id]: read_definition(row.document) for row in found}

    def all(self, business_id: str) -> Sequence[SavedSequence]:
        rows = self.row.query(business_id, DirectoryRow.entry_id.startswith(self.entry("")), consistent_read=True)
        return list(map(_sequence, rows))

    def save(self, sequence: SavedSequence, segments: SavedSegments | None = None) -> None:
        business_id = sequence.business_id
        version = next_version(sequence.row_version)
        row = self.row(business_id, self.entry(sequence.sequence_id), document=_written(sequence), version=version)
        says = self.row(
            business_id,
            _version_entry(sequence.sequence_id, sequence.version),
            document=written_definition(sequence.definition),
        )
        with transaction(self.row) as writes:
            writes.save(row, condition=as_read(DirectoryRow, sequence.row_version))
            writes.save(says)
            gate = sequence.gate(version)
            self._gates.write_within(writes, business_id, sequence.sequence_id, gate)
            if segments is not None:
                self._segments.use_within(writes, business_id, segments)

    def delete(self, sequence: SavedSequence) -> None:
        business_id, id_ = sequence.business_id, sequence.sequence_id
        with transaction(self.row) as writes:
            gone = self.row(business_id, self.entry(id_))
            writes.delete(gone, condition=as_read(DirectoryRow, sequence.row_version))
            self._gates.write_within(writes, business_id, id_, None)
        for version in range(1, sequence.version + 1):
            self.row(business_id, _version_entry(id_, version)).delete()

    def using(self, business_id: str, segment_id: str) -> Sequence[str]:
        return [each.sequence_id for each in self.all(business_id) if segment_id in each.definition.segments]


def _version_entry(sequence_id: str, version: int) -> str:
    return f"{_VERSION}#{sequence_id}#{version:06d}"


def _written(sequence: SavedSequence) -> dict[str, Any]:
    return {
        "uid": sequence.uid,
        "name": sequence.name,
        "status": sequence.status,
        "version": sequence.version,
        "definition": written_definition(sequence.definition),
        "late": sequence.late,
        "lapsed_until": None if sequence.lapsed_until is None else write_instant(sequence.lapsed_until),
        "owes": sequence.owes,
        "created_at": write_instant(sequence.created_at),
        "updated_at": write_instant(sequence.updated_at),
        "switched_at": write_instant(sequence.switched_at),
    }


def _sequence(row: DirectoryRow) -> SavedSequence:
    document: Mapping[str, Any] = row.document
    times: dict[str, datetime] = {
        name: read_instant(document[name]) for name in ("created_at", "updated_at", "switched_at")
    }
    lapsed, owes = document["lapsed_until"], document["owes"]
    return SavedSequence(
        business_id=row.business_id,
        sequence_id=row.entry_id.split("#", 1)[1],
        uid=document["uid"],
        name=document["name"],
        status=SequenceStatus(document["status"]),
        version=document["version"],
        definition=read_definition(document["definition"]),
        late=Late(document["late"]),
        lapsed_until=None if lapsed is None else read_instant(lapsed),
        owes=None if owes is None else Owes(owes),
        row_version=int(row.version or 0),
        **times,
    )
