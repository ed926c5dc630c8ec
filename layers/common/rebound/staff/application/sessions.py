"""Who a request is from, and the end of sessions."""

from __future__ import annotations

from contextlib import suppress
from copy import replace
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.kernel.retrying import retried
from rebound.staff.application.checks import read_email
from rebound.staff.application.sign_in import note_sign_in
from rebound.staff.domain import SEEN_EVERY, SignedIn, csrf_of, session_of

if TYPE_CHECKING:
    from rebound.contacts.ports import AddressReader
    from rebound.platform.ports import Clock
    from rebound.staff.domain import Person, Session
    from rebound.staff.ports import SessionBook, StaffBook


class Sessions(Struct, frozen=True, kw_only=True):
    """Sessions by the token that the browser has. What somebody may do is read at each request from their membership.

    A session is over half a day after it was used last and a week after it began, when its person signs out here or
    everywhere, and when the membership that it looks at ends.
    """

    staff: StaffBook
    sessions: SessionBook
    addresses: AddressReader
    clock: Clock

    def find(self, token: str) -> SignedIn | None:
        """Who this is, by one read; ``None`` when nobody is signed in by this token."""
        found = self._found(token)
        if found is None:
            return None
        session, person = found
        now = self.clock.now()
        if now - session.seen_at >= SEEN_EVERY:
            # Whoever was quicker has noted it as well, or ended it.
            with suppress(ConcurrentChangeError):
                self.sessions.save(replace(session, seen_at=now))
        return _signed_in(token, session, person)

    def choose(self, token: str, business_id: str | None) -> SignedIn | None:
        """Look at another business, or at the stack as an operator; ``None`` as ``find``.

        Raises ``NotFoundError`` when they do not belong to it, or the session began by a link to another membership.
        """

        def write() -> SignedIn | None:
            found = self._found(token)
            if found is None:
                return None
            session, person = found
            member = person.in_business(business_id)
            if member is None or not session.may_look_at(member):
                raise NotFoundError("member of staff")
            chosen = replace(session.looking_at(member), seen_at=self.clock.now())
            self.sessions.save(chosen)
            return _signed_in(token, chosen, person)

        signed_in = retried(write)
        if signed_in is not None and signed_in.member is not None:
            note_sign_in(self.staff, signed_in.member, self.clock)
        return signed_in

    def end(self, token: str) -> None:
        """Sign out here. A token that opens nothing is no error."""
        key = session_of(token)
        if key is not None:
            self.sessions.end(key)

    def end_all(self, email: str) -> None:
        """Sign somebody out everywhere; links that they have not used are over, too. Raises ``InvalidInputError``."""
        address = read_email(self.addresses, email)
        retried(lambda: self.staff.begin_generation(self.staff.person(address)))

    def _found(self, token: str) -> tuple[Session, Person] | None:
        key = session_of(token)
        found = None if key is None else self.sessions.find(key)
        if found is None:
            return None
        session, person = found
        if session.is_over(self.clock.now()):
            return None
        if not person.memberships or person.generation != session.generation:
            return None
        if session.member_id is not None and person.by_id(session.member_id) is None:
            return None
        return session, person


def _signed_in(token: str, session: Session, person: Person) -> SignedIn:
    member = person.by_id(session.member_id)
    others = [each for each in person.memberships if each is not member and session.may_look_at(each)]
    return SignedIn(person.email, member, others, session.session_hash, csrf_of(token, member))
