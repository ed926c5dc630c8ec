"""Signing in: by a code that is sent to the address, or by a link."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.access.domain import hash_of
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.kernel.retrying import retried
from rebound.staff.application.checks import read_email
from rebound.staff.application.limits import one_more
from rebound.staff.domain import (
    BROWSER_KNOWN_FOR,
    CODE_LASTS,
    CODES_TO_ADDRESS,
    CODES_TO_BROWSER,
    CODES_TO_REQUESTER,
    MOST_TRIES,
    SESSION_LASTS,
    Attempt,
    NewSession,
    Role,
    Session,
    Way,
    WrongCode,
    code_of,
    codes_from,
    codes_in,
    codes_to,
    hash_of_code,
    hash_of_token,
    person_key,
    session_of,
    session_token,
)

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import AddressReader
    from rebound.platform.ports import Clock, Ids
    from rebound.staff.application.write_to_staff import WriteToStaff
    from rebound.staff.domain import Person, SignInLink, StaffMember
    from rebound.staff.ports import SessionBook, SignInBook, SignInLog, StaffBook

ASKING_TAKES: Final = timedelta(seconds=2)
"""Every answer to a request for a code comes no sooner, so that its time does not tell whether one was sent."""


class LinkView(Struct, frozen=True):
    """What a page shows before somebody signs in by a link. ``business_name`` is ``None`` for operators."""

    email: str
    role: Role
    business_id: str | None
    business_name: str | None


class SignIn(Struct, frozen=True, kw_only=True):
    """Signs people in. A session always begins with a token of its own, whatever the browser had before."""

    staff: StaffBook
    sessions: SessionBook
    sign_ins: SignInBook
    businesses: BusinessDirectory
    addresses: AddressReader
    write_to_staff: WriteToStaff
    sign_in_log: SignInLog
    clock: Clock
    ids: Ids

    def ask(self, email: str, requester: str = "", browsers: Iterable[str] = ()) -> str:
        """Send a code to a member; the token of the attempt, which the browser keeps until the code is typed.

        ``requester`` is the place in the network that it is asked for from, ``browsers`` are the tokens by which the
        browser may be known. A browser that the person has signed in from has codes of its own, so that strangers who
        ask for others keep nobody out who comes back; codes that were sent before stay good.

        The answer, what is written for it and how long it takes are the same for an address that is nobody's, and for
        one that has had as many codes as it may. Raises ``InvalidInputError`` for what is no address.
        """
        begun = self.clock.now()
        address = read_email(self.addresses, email)
        token, code, no_code = self.ids.secret(), code_of(self.ids.secret()), self.ids.secret()
        person = self.staff.person(address)
        opens = self._one_more(address, requester, browsers) and bool(person.memberships)
        code_hash = hash_of_code(token, code if opens else no_code)
        self.sign_ins.add_attempt(Attempt(hash_of(token), address, code_hash, begun + CODE_LASTS))
        if opens:
            self.write_to_staff.code(person, code)
        self.clock.wait(begun + ASKING_TAKES - self.clock.now())
        return token

    def with_code(self, attempt_token: str, code: str) -> NewSession | WrongCode | None:
        """Sign in by the code of an attempt, once. ``None`` when the attempt is over: too old, used, or out of tries.

        Every answer is given only after it was counted, so that codes tried side by side are tried no more often.
        """
        attempt_hash = hash_of_token(attempt_token)
        # Whoever loses a race has seen the attempt change, which it does no more often than it may be tried.
        return None if attempt_hash is None else retried(lambda: self._try(attempt_hash, attempt_token, code))

    def look_at_link(self, token: str) -> LinkView | None:
        """Whom a link signs in; ``None`` if it does not any more. Changes nothing: programs follow links as well."""
        found = self._link(token)
        if found is None:
            return None
        _, _, member = found
        name: str | None = None
        if member.business_id is not None:
            try:
                name = self.businesses.get(member.business_id).name
            except NotFoundError:
                return None
        return LinkView(member.email, member.role, member.business_id, name)

    def with_link(self, token: str) -> NewSession | None:
        """Sign in by a link, once; ``None`` if it is too old, used, or its membership has ended.

        The session is for the membership of the link alone, until its person signs in by a code.
        """
        found = self._link(token)
        if found is not None:
            link, person, member = found
            try:
                self.sign_ins.use_link(link)
            except ConcurrentChangeError:
                found = None
            else:
                return self._begun(person, member, Way.LINK)
        self.sign_in_log.refused(Way.LINK)
        return None

    def _one_more(self, email: str, requester: str, browsers: Iterable[str]) -> bool:
        """Count a code; whether one more may be sent. By none of this it shows whether the address is a member's."""
        keys = [key for each in browsers if (key := session_of(each)) is not None]
        known = next((key.session_hash for key in keys if key.person_key == person_key(email)), None)
        if known is not None and self.sign_ins.knows_browser(known):
            return one_more(self.sign_ins, self.clock, codes_in(known), CODES_TO_BROWSER)
        # Of whoever asks too often themselves nothing is counted against the address.
        return one_more(self.sign_ins, self.clock, codes_from(email, requester), CODES_TO_REQUESTER) and one_more(
            self.sign_ins, self.clock, codes_to(email), CODES_TO_ADDRESS
        )

    def _try(self, attempt_hash: str, token: str, code: str) -> NewSession | WrongCode | None:
        attempt = self.sign_ins.attempt(attempt_hash)
        if attempt is None or attempt.is_over(self.clock.now()):
            self.sign_in_log.refused(Way.CODE)
            return None
        if not attempt.opens_with(token, code):
            counted = self.sign_ins.count_try(attempt)
            self.sign_in_log.refused(Way.CODE)
            left = MOST_TRIES - counted.tries
            return WrongCode(left) if left > 0 else None
        self.sign_ins.use_attempt(attempt)
        person = self.staff.person(attempt.email)
        if not person.memberships:
            self.sign_in_log.refused(Way.CODE)
            return None
        only = person.memberships[0] if len(person.memberships) == 1 else None
        return self._begun(person, only, Way.CODE)

    def _link(self, token: str) -> tuple[SignInLink, Person, StaffMember] | None:
        link_hash = hash_of_token(token)
        link = None if link_hash is None else self.sign_ins.link(link_hash)
        if link is None or self.clock.now() >= link.expires_at:
            return None
        person = self.staff.person(link.email)
        member = person.by_id(link.member_id)
        return (link, person, member) if member is not None and person.generation == link.generation else None

    def _begun(self, person: Person, member: StaffMember | None, way: Way) -> NewSession:
        now, token = self.clock.now(), session_token(self.ids.secret(), person.email)
        by_link = way is Way.LINK
        session = Session(
            hash_of(token), person.email, person.generation, now, now, now + SESSION_LASTS, by_link=by_link
        )
        if member is not None:
            session = session.looking_at(member)
        self.sessions.add(session)
        browser = session_token(self.ids.secret(), person.email)
        self.sign_ins.add_browser(hash_of(browser), now + BROWSER_KNOWN_FOR)
        if member is not None:
            note_sign_in(self.staff, member, self.clock)
        known = person.memberships if member is None else [member]
        self.sign_in_log.signed_in([each.member_id for each in known], way)
        return NewSession(token, session, browser)


def note_sign_in(staff: StaffBook, member: StaffMember, clock: Clock) -> None:
    """Note that somebody came to look at a business; no more than that is lost if others keep writing the row."""

    def write() -> None:
        fresh = staff.person(member.email).by_id(member.member_id)
        if fresh is not None:
            staff.note_sign_in(fresh, clock.now())

    with suppress(ConcurrentChangeError):
        retried(write)
