"""Who may sign in, in the Directory table.

A membership is a row in the partition of its person, so that one request reads all of them. The roster of a business is
one row beside its settings; whoever writes a membership's role writes the roster with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import (
    DirectoryRow,
    as_read,
    lost_races,
    next_version,
    read_instant,
    transaction,
    write_instant,
)
from rebound.staff.domain import Person, Role, Roster, StaffMember

if TYPE_CHECKING:
    from pynamodb.transactions import TransactWrite

PERSON: Final = "#person#"
"""How the partition keys of people begin, where others have a business id."""
OPERATORS: Final = "#operator"
"""Partition key of the operators' roster."""
_MEMBER: Final = "member#"
_GENERATION: Final = "generation#"
_ROSTER: Final = "staff#"


class DynamoStaffBook(Directory):
    """Implements ``StaffBook``."""

    kind = "staff"

    def person(self, email: str) -> Person:
        memberships: list[StaffMember] = []
        generation = 0
        for row in self.row.query(PERSON + email, consistent_read=True):
            if row.entry_id == _GENERATION:
                generation = int(row.version)
            elif row.entry_id.startswith(_MEMBER):
                memberships.append(_member(row))
        return Person(email, memberships, generation)

    def roster(self, business_id: str | None) -> Roster:
        try:
            row = self.row.get(business_id or OPERATORS, _ROSTER, consistent_read=True)
        except self.row.DoesNotExist:
            return Roster(business_id, {})
        roles = {email: Role(role) for email, role in row.document.items()}
        return Roster(business_id, roles, int(row.version))

    def members(self, roster: Roster) -> Sequence[StaffMember]:
        keys = [_key(email, roster.business_id) for email in roster.roles]
        rows = self.row.batch_get(keys, consistent_read=True) if keys else ()
        return sorted(map(_member, rows), key=lambda member: member.email)

    def save(self, roster: Roster, member: StaffMember) -> StaffMember:
        version = next_version(member.version)
        with transaction(self.row) as writes:
            self._write_roster(writes, roster)
            writes.save(self._member_row(member, version), condition=as_read(DirectoryRow, member.version))
        return replace(member, version=version)

    def remove(self, roster: Roster, member: StaffMember) -> None:
        with transaction(self.row) as writes:
            self._write_roster(writes, roster)
            gone = self.row(*_key(member.email, member.business_id))
            writes.delete(gone, condition=as_read(DirectoryRow, member.version))

    def note_sign_in(self, member: StaffMember, at: datetime) -> None:
        row = self._member_row(replace(member, last_signed_in_at=at), next_version(member.version))
        with lost_races():
            row.save(condition=as_read(DirectoryRow, member.version))

    def begin_generation(self, person: Person) -> None:
        version = next_version(person.generation)
        row = self.row(PERSON + person.email, _GENERATION, document={}, version=version)
        with lost_races():
            row.save(condition=as_read(DirectoryRow, person.generation))

    def _write_roster(self, writes: TransactWrite, roster: Roster) -> None:
        document = {email: str(role) for email, role in roster.roles.items()}
        partition = roster.business_id or OPERATORS
        row = self.row(partition, _ROSTER, document=document, version=next_version(roster.version))
        writes.save(row, condition=as_read(DirectoryRow, roster.version))

    def _member_row(self, member: StaffMember, version: int) -> DirectoryRow:
        return self.row(*_key(member.email, member.business_id), document=_document(member), version=version)


_TIMES: Final = ("invited_at", "last_signed_in_at")
_ELSEWHERE: Final = frozenset({"business_id", "email", "version"})
"""What is in the row's keys, or beside its document."""


def _key(email: str, business_id: str | None) -> tuple[str, str]:
    return PERSON + email, _MEMBER + (business_id or "")


def _document(member: StaffMember) -> Mapping[str, Any]:
    given = {name: getattr(member, name) for name in member.__struct_fields__ if name not in _ELSEWHERE}
    return {
        name: write_instant(value) if isinstance(value, datetime) else value
        for name, value in given.items()
        if value is not None
    }


def _member(row: DirectoryRow) -> StaffMember:
    document = row.document
    times = {name: read_instant(document[name]) for name in _TIMES if name in document}
    return StaffMember(
        **{**document, **times, "role": Role(document["role"])},
        business_id=row.entry_id.removeprefix(_MEMBER) or None,
        email=row.business_id.removeprefix(PERSON),
        version=int(row.version),
    )
