"""What the use cases of staff need from outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from rebound.businesses.ports import BusinessesPorts
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


class StaffBook(Protocol):
    """The members of all businesses, and the operators (whose business is ``None``)."""

    def person(self, email: str) -> Person:
        """Everything about an address, in one request (strongly consistent); without memberships if it is nobody's."""

    def roster(self, business_id: str | None) -> Roster:
        """Who belongs to a business (strongly consistent); nobody, if nothing is kept."""

    def members(self, roster: Roster) -> Sequence[StaffMember]:
        """All on a roster, by email (strongly consistent)."""

    def save(self, roster: Roster, member: StaffMember) -> StaffMember:
        """Write a roster and a member who is on it, all or nothing; the member as stored now.

        Raises ``ConcurrentChangeError`` unless both rows are as they were read.
        """

    def remove(self, roster: Roster, member: StaffMember) -> None:
        """Remove a member, and write a roster without them; as ``save``."""

    def note_sign_in(self, member: StaffMember, at: datetime) -> None:
        """Note when somebody signed in. Raises ``ConcurrentChangeError`` if the row is not as it was read."""

    def begin_generation(self, person: Person) -> None:
        """Let all sessions and links of a person be over. Raises ``ConcurrentChangeError`` as ``note_sign_in`` does."""


class SessionBook(Protocol):
    """Who is signed in. Sessions that have ended by themselves are forgotten."""

    def add(self, session: Session) -> None:
        """Keep a new session."""

    def find(self, key: SessionKey) -> tuple[Session, Person] | None:
        """A session and its person as of now, in one request (strongly consistent); ``None`` when there is none."""

    def save(self, session: Session) -> None:
        """Write a session that is as it was read. Raises ``ConcurrentChangeError`` otherwise, also if it ended."""

    def end(self, key: SessionKey) -> None:
        """End a session, if there is one."""


class SignInBook(Protocol):
    """Attempts to sign in, links, browsers, and how often something was done; each is forgotten once it is over."""

    def recent(self, what: str) -> Recent:
        """As of now; none if nothing is kept."""

    def save_recent(self, recent: Recent, ends: datetime) -> None:
        """Keep it until ``ends``. Raises ``ConcurrentChangeError`` unless the row is as it was read."""

    def add_browser(self, browser_hash: str, ends: datetime) -> None:
        """Know a browser until ``ends``."""

    def knows_browser(self, browser_hash: str) -> bool:
        """Whether somebody has signed in from it (strongly consistent)."""

    def add_attempt(self, attempt: Attempt) -> None:
        """Keep a new attempt."""

    def attempt(self, attempt_hash: str) -> Attempt | None:
        """Strongly consistent; ``None`` when there is none (any more)."""

    def count_try(self, attempt: Attempt) -> Attempt:
        """One try more; the attempt as stored now. Raises ``ConcurrentChangeError`` unless it is as it was read."""

    def use_attempt(self, attempt: Attempt) -> None:
        """Take an attempt away, once. Raises ``ConcurrentChangeError`` as ``count_try`` does, also if it is gone."""

    def add_link(self, link: SignInLink) -> None:
        """Keep a new link."""

    def link(self, link_hash: str) -> SignInLink | None:
        """Strongly consistent; ``None`` when there is none (any more)."""

    def use_link(self, link: SignInLink) -> None:
        """Take a link away, once. Raises ``ConcurrentChangeError`` if it is gone."""


class AuditBook(Protocol):
    """What was done in the console to a business, or by operators to the stack (whose business is ``None``).

    Entries are added and never changed; each is forgotten after ``AUDIT_KEPT``.
    """

    def add(self, business_id: str | None, entry: AuditEntry) -> None:
        """Keep an entry, with all others and with those of what it was done to: both or neither."""

    def newest(
        self, business_id: str | None, limit: int, before: str | None = None, *, of: ObjectKey | None = None
    ) -> Sequence[AuditEntry]:
        """The newest first, in one request: of those before an entry, and of one thing, where these are given.

        Strongly consistent.
        """


class SignInLog(Protocol):
    """What is told of signing in, without personal data."""

    def signed_in(self, member_ids: Sequence[str], way: Way) -> None:
        """Somebody signed in, with the memberships that they have."""

    def refused(self, way: Way) -> None:
        """A code was wrong, or a code or link over."""

    def not_written(self, reason: str) -> None:
        """A code or an invitation could not be sent; ``reason`` is a word of ours."""


class StaffPorts(BusinessesPorts, Protocol):
    """What the use cases of staff need from outside."""

    @property
    def staff(self) -> StaffBook: ...

    @property
    def staff_sessions(self) -> SessionBook: ...

    @property
    def sign_ins(self) -> SignInBook: ...

    @property
    def sign_in_log(self) -> SignInLog: ...

    @property
    def audit(self) -> AuditBook: ...

    @property
    def console_sender(self) -> str:
        """Who writes to operators, and to people whose businesses have no sender; empty if nobody does."""
