"""Sequences and their versions in the Directory table.

The row of a sequence is small, whatever it says: it has the outline of the newest version, which is what must be known
to hear. All that a version says stands in a row of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
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
from rebound.sequences.adapters.known_versions import KnownVersions
from rebound.sequences.domain.documents import read_definition, written_definition
from rebound.sequences.domain.sequences import KnownSequence, Late, Owes, SavedSequence, SequenceStatus

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
        self._versions = KnownVersions()

    def get(self, business_id: str, sequence_id: str) -> SavedSequence:
        row = self._row_of(business_id, sequence_id)
        fields = _fields(row)
        try:
            definition = self.version(business_id, fields["uid"], fields["version"])
        except NotFoundError:
            # It was deleted a moment ago.
            raise NotFoundError("sequence") from None
        return SavedSequence(**fields, definition=definition)

    def known(self, business_id: str, sequence_id: str) -> KnownSequence:
        return _known(self._row_of(business_id, sequence_id))

    def version(self, business_id: str, uid: str, number: int) -> Definition:
        found = self._versions.find((business_id, uid, number))
        if found is not None:
            return found
        try:
            row = self.row.get(business_id, _version_entry(uid, number), consistent_read=True)
        except self.row.DoesNotExist:
            raise NotFoundError("sequence version") from None
        return self._remembered(business_id, uid, number, row)

    def versions(self, business_id: str, uid: str, numbers: Collection[int]) -> Mapping[int, Definition]:
        places = {_version_entry(uid, number): number for number in numbers}
        if not places:
            return {}
        found = self.row.batch_get([(business_id, place) for place in places])
        return {places[row.entry_id]: read_definition(row.document) for row in found}

    def all(self, business_id: str) -> Sequence[KnownSequence]:
        return list(map(_known, self._rows(business_id)))

    def _row_of(self, business_id: str, sequence_id: str) -> DirectoryRow:
        try:
            return self.row.get(business_id, self.entry(sequence_id), consistent_read=True)
        except self.row.DoesNotExist:
            raise NotFoundError("sequence") from None

    def _rows(self, business_id: str) -> Iterable[DirectoryRow]:
        return self.row.query(business_id, DirectoryRow.entry_id.startswith(self.entry("")), consistent_read=True)

    def _remembered(self, business_id: str, uid: str, number: int, row: DirectoryRow) -> Definition:
        definition = read_definition(row.document)
        self._versions.remember((business_id, uid, number), definition)
        return definition

    def save(self, sequence: SavedSequence, segments: SavedSegments | None = None) -> None:
        business_id = sequence.business_id
        version = next_version(sequence.row_version)
        row = self.row(business_id, self.entry(sequence.sequence_id), document=_written(sequence), version=version)
        name = (business_id, sequence.uid, sequence.version)
        says = self.row(
            business_id,
            _version_entry(sequence.uid, sequence.version),
            document=written_definition(sequence.definition),
        )
        with transaction(self.row) as writes:
            writes.save(row, condition=as_read(DirectoryRow, sequence.row_version))
            # As it was read is as it is stored.
            if self._versions.find(name) is not sequence.definition:
                writes.save(says)
            self._gates.write_within(writes, business_id, sequence.sequence_id, sequence.gate(version))
            if segments is not None:
                self._segments.use_within(writes, business_id, segments)
        self._versions.remember(name, sequence.definition)

    def delete(self, sequence: SavedSequence) -> None:
        business_id, id_ = sequence.business_id, sequence.sequence_id
        with transaction(self.row) as writes:
            gone = self.row(business_id, self.entry(id_))
            writes.delete(gone, condition=as_read(DirectoryRow, sequence.row_version))
            self._gates.write_within(writes, business_id, id_, None)
        for version in range(1, sequence.version + 1):
            self._versions.forget((business_id, sequence.uid, version))
            self.row(business_id, _version_entry(sequence.uid, version)).delete()

    def using(self, business_id: str, segment_id: str) -> Sequence[str]:
        return [_id_of(row) for row in self._rows(business_id) if segment_id in row.document["segments"]]


def _version_entry(uid: str, number: int) -> str:
    return f"{_VERSION}#{uid}#{number:06d}"


def _id_of(row: DirectoryRow) -> str:
    return str(row.entry_id).split("#", 1)[1]


def _written(sequence: SavedSequence) -> dict[str, Any]:
    return {
        "uid": sequence.uid,
        "name": sequence.name,
        "status": sequence.status,
        "version": sequence.version,
        "outline": written_definition(sequence.definition.outline),
        "segments": sorted(sequence.definition.segments),
        "late": sequence.late,
        "lapsed_until": None if sequence.lapsed_until is None else write_instant(sequence.lapsed_until),
        "owes": sequence.owes,
        "created_at": write_instant(sequence.created_at),
        "updated_at": write_instant(sequence.updated_at),
        "switched_at": write_instant(sequence.switched_at),
    }


def _known(row: DirectoryRow) -> KnownSequence:
    return KnownSequence(**_fields(row), definition=read_definition(row.document["outline"]))


def _fields(row: DirectoryRow) -> dict[str, Any]:
    """All of a sequence but what it says."""
    document: Mapping[str, Any] = row.document
    times: dict[str, datetime] = {
        name: read_instant(document[name]) for name in ("created_at", "updated_at", "switched_at")
    }
    lapsed, owes = document["lapsed_until"], document["owes"]
    return {
        "business_id": row.business_id,
        "sequence_id": _id_of(row),
        "uid": document["uid"],
        "name": document["name"],
        "status": SequenceStatus(document["status"]),
        "version": document["version"],
        "late": Late(document["late"]),
        "lapsed_until": None if lapsed is None else read_instant(lapsed),
        "owes": None if owes is None else Owes(owes),
        "row_version": int(row.version or 0),
        **times,
    }
