"""People who sign in, in memory."""

from collections.abc import Sequence
from copy import replace
from datetime import datetime
from functools import cached_property

from rebound.kernel.errors import ConcurrentChangeError
from rebound.staff.domain import (
    Attempt,
    AuditEntry,
    ObjectKey,
    Person,
    Recent,
    Roster,
    Session,
    SessionKey,
    SignInLink,
    StaffMember,
    Way,
)
from tests.contract.businesses.fakes import MemoryBusinessesPorts


class MemoryStaffBook:
    """Implements ``StaffBook``."""

    def __init__(self) -> None:
        self._rosters: dict[str | None, Roster] = {}
        self._members: dict[tuple[str, str | None], StaffMember] = {}
        self._generations: dict[str, int] = {}

    def person(self, email: str) -> Person:
        found = sorted(
            (member for (address, _), member in self._members.items() if address == email),
            key=lambda member: member.business_id or "",
        )
        return Person(email, found, self._generations.get(email, 0))

    def roster(self, business_id: str | None) -> Roster:
        return self._rosters.get(business_id, Roster(business_id, {}))

    def members(self, roster: Roster) -> Sequence[StaffMember]:
        return [
            self._members[email, roster.business_id]
            for email in sorted(roster.roles)
            if (email, roster.business_id) in self._members
        ]

    def save(self, roster: Roster, member: StaffMember) -> StaffMember:
        self._check(roster, member)
        self._rosters[roster.business_id] = replace(roster, version=roster.version + 1)
        return self._keep(member)

    def remove(self, roster: Roster, member: StaffMember) -> None:
        self._check(roster, member)
        self._rosters[roster.business_id] = replace(roster, version=roster.version + 1)
        del self._members[member.email, member.business_id]

    def note_sign_in(self, member: StaffMember, at: datetime) -> None:
        self._check_member(member)
        self._keep(replace(member, last_signed_in_at=at))

    def begin_generation(self, person: Person) -> None:
        if self._generations.get(person.email, 0) != person.generation:
            raise ConcurrentChangeError
        self._generations[person.email] = person.generation + 1

    def _check(self, roster: Roster, member: StaffMember) -> None:
        if self.roster(roster.business_id).version != roster.version:
            raise ConcurrentChangeError
        self._check_member(member)

    def _check_member(self, member: StaffMember) -> None:
        kept = self._members.get((member.email, member.business_id))
        if (0 if kept is None else kept.version) != member.version:
            raise ConcurrentChangeError

    def _keep(self, member: StaffMember) -> StaffMember:
        kept = replace(member, version=member.version + 1)
        self._members[member.email, member.business_id] = kept
        return kept


class MemorySessionBook:
    """Implements ``SessionBook``."""

    def __init__(self, staff: MemoryStaffBook) -> None:
        self.rows: dict[SessionKey, Session] = {}
        self._staff = staff

    def add(self, session: Session) -> None:
        self._keep(session)

    def find(self, key: SessionKey) -> tuple[Session, Person] | None:
        session = self.rows.get(key)
        return None if session is None else (session, self._staff.person(session.email))

    def save(self, session: Session) -> None:
        kept = self.rows.get(session.key)
        if kept is None or kept.version != session.version:
            raise ConcurrentChangeError
        self._keep(session)

    def end(self, key: SessionKey) -> None:
        self.rows.pop(key, None)

    def _keep(self, session: Session) -> None:
        self.rows[session.key] = replace(session, version=session.version + 1)


class MemorySignInBook:
    """Implements ``SignInBook``."""

    def __init__(self) -> None:
        self.counted: dict[str, Recent] = {}
        self.browsers: dict[str, datetime] = {}
        self.attempts: dict[str, Attempt] = {}
        self.links: dict[str, SignInLink] = {}

    def recent(self, what: str) -> Recent:
        return self.counted.get(what, Recent(what))

    def save_recent(self, recent: Recent, ends: datetime) -> None:
        assert ends > recent.times[-1]
        if self.recent(recent.what).version != recent.version:
            raise ConcurrentChangeError
        self.counted[recent.what] = replace(recent, version=recent.version + 1)

    def add_browser(self, browser_hash: str, ends: datetime) -> None:
        self.browsers[browser_hash] = ends

    def knows_browser(self, browser_hash: str) -> bool:
        return browser_hash in self.browsers

    def add_attempt(self, attempt: Attempt) -> None:
        self.attempts[attempt.attempt_hash] = attempt

    def attempt(self, attempt_hash: str) -> Attempt | None:
        return self.attempts.get(attempt_hash)

    def count_try(self, attempt: Attempt) -> Attempt:
        self._check(attempt)
        counted = self.attempts[attempt.attempt_hash] = replace(attempt, tries=attempt.tries + 1)
        return counted

    def use_attempt(self, attempt: Attempt) -> None:
        self._check(attempt)
        del self.attempts[attempt.attempt_hash]

    def _check(self, attempt: Attempt) -> None:
        kept = self.attempts.get(attempt.attempt_hash)
        if kept is None or kept.tries != attempt.tries:
            raise ConcurrentChangeError

    def add_link(self, link: SignInLink) -> None:
        self.links[link.link_hash] = link

    def link(self, link_hash: str) -> SignInLink | None:
        return self.links.get(link_hash)

    def use_link(self, link: SignInLink) -> None:
        if self.links.pop(link.link_hash, None) is None:
            raise ConcurrentChangeError


class MemoryAuditBook:
    """Implements ``AuditBook``; nothing is forgotten."""

    def __init__(self) -> None:
        self.entries: dict[str | None, list[AuditEntry]] = {}

    def add(self, business_id: str | None, entry: AuditEntry) -> None:
        self.entries.setdefault(business_id, []).append(entry)

    def newest(
        self, business_id: str | None, limit: int, before: str | None = None, *, of: ObjectKey | None = None
    ) -> Sequence[AuditEntry]:
        found = [
            each
            for each in self.entries.get(business_id, ())
            if of in (None, each.object_key) and (before is None or each.entry_id < before)
        ]
        return sorted(found, key=lambda each: each.entry_id, reverse=True)[:limit]


class RecordingSignInLog:
    """Implements ``SignInLog``."""

    def __init__(self) -> None:
        self.told: list[tuple[str, ...]] = []

    def signed_in(self, member_ids: Sequence[str], way: Way) -> None:
        self.told.append(("signed in", way, *member_ids))

    def refused(self, way: Way) -> None:
        self.told.append(("refused", way))

    def not_written(self, reason: str) -> None:
        self.told.append(("not written", reason))


class MemoryStaffPorts(MemoryBusinessesPorts):
    """Implements ``StaffPorts``."""

    console_sender = "console@example.com"

    @cached_property
    def staff(self) -> MemoryStaffBook:
        return MemoryStaffBook()

    @cached_property
    def staff_sessions(self) -> MemorySessionBook:
        return MemorySessionBook(self.staff)

    @cached_property
    def sign_ins(self) -> MemorySignInBook:
        return MemorySignInBook()

    @cached_property
    def audit(self) -> MemoryAuditBook:
        return MemoryAuditBook()

    @cached_property
    def sign_in_log(self) -> RecordingSignInLog:
        return RecordingSignInLog()
