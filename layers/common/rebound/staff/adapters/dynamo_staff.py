"""Who may sign in and who is signed in, in the Directory table.

A membership is a row in the partition of its person, and so is a session, so that one request reads all of it. The
roster of a business is one row beside its settings; whoever writes a membership's role writes the roster with it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from rebound.kernel.errors import ConcurrentChangeError
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import (
    DirectoryRow,
    as_read,
    expiry,
    lost_races,
    next_version,
    read_instant,
    transaction,
    write_instant,
)
from rebound.staff.domain import Person, Role, Roster, Session, SessionKey, StaffMember, person_key

if TYPE_CHECKING:
    from pynamodb.transactions import TransactWrite

PERSON: Final = "#person#"
"""How the partition keys of people begin, where others have a business id; they go on with ``person_key``."""
OPERATORS: Final = "#operator"
"""Partition key of the operators' roster."""
_MEMBER: Final = "member#"
_GENERATION: Final = "generation#"
_SESSION: Final = "session#"
_ROSTER: Final = "staff#"
_AT_ONCE: Final = timedelta()


class DynamoStaffBook(Directory):
    """Implements ``StaffBook``."""

    kind = "staff"

    def person(self, email: str) -> Person:
        return _person(email, list(self.row.query(_partition(email), consistent_read=True)))

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
        row = self.row(_partition(person.email), _GENERATION, document={}, version=version)
        with lost_races():
            row.save(condition=as_read(DirectoryRow, person.generation))

    def _write_roster(self, writes: TransactWrite, roster: Roster) -> None:
        document = {email: str(role) for email, role in roster.roles.items()}
        partition = roster.business_id or OPERATORS
        row = self.row(partition, _ROSTER, document=document, version=next_version(roster.version))
        writes.save(row, condition=as_read(DirectoryRow, roster.version))

    def _member_row(self, member: StaffMember, version: int) -> DirectoryRow:
        return self.row(
            *_key(member.email, member.business_id), document=_document(member, _ELSEWHERE), version=version
        )


class DynamoSessionBook(Directory):
    """Implements ``SessionBook``. Each row ages out."""

    kind = "session"

    def add(self, session: Session) -> None:
        self._write(session)

    def find(self, key: SessionKey) -> tuple[Session, Person] | None:
        rows = list(self.row.query(PERSON + key.person_key, consistent_read=True))
        row = next((each for each in rows if each.entry_id == _SESSION + key.session_hash), None)
        if row is None:
            return None
        times = {name: read_instant(row.document[name]) for name in _SESSION_TIMES}
        session = Session(**{**row.document, **times}, session_hash=key.session_hash, version=int(row.version))
        return session, _person(session.email, rows)

    def save(self, session: Session) -> None:
        if not session.version:
            raise ConcurrentChangeError
        self._write(session)

    def end(self, key: SessionKey) -> None:
        self.row(PERSON + key.person_key, _SESSION + key.session_hash).delete()

    def _write(self, session: Session) -> None:
        row = self.row(
            _partition(session.email),
            _SESSION + session.session_hash,
            document=_document(session, {"session_hash", "version"}),
            version=next_version(session.version),
            expires_at=expiry(session.expires_at, _AT_ONCE),
        )
        with lost_races():
            row.save(condition=as_read(DirectoryRow, session.version))


_TIMES: Final = ("invited_at", "last_signed_in_at")
_SESSION_TIMES: Final = ("created_at", "seen_at", "expires_at")
_ELSEWHERE: Final = frozenset({"business_id", "version"})
"""What of a membership is in the row's keys, or beside its document."""


def _partition(email: str) -> str:
    return PERSON + person_key(email)


def _key(email: str, business_id: str | None) -> tuple[str, str]:
    return _partition(email), _MEMBER + (business_id or "")


def _person(email: str, rows: Sequence[DirectoryRow]) -> Person:
    """Somebody, by all rows of their partition."""
    generation = next((int(row.version) for row in rows if row.entry_id == _GENERATION), 0)
    return Person(email, [_member(row) for row in rows if row.entry_id.startswith(_MEMBER)], generation)


def _document(of: StaffMember | Session, without: Collection[str]) -> Mapping[str, Any]:
    given = {name: getattr(of, name) for name in of.__struct_fields__ if name not in without}
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
        version=int(row.version),
    )
