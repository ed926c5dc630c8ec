"""People who log in: their roles, their sessions, and the codes and links by which they sign in.

Somebody is a member of one business or of several, under one email address; operators belong to none. Of every token
and code only a hash is kept.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from copy import replace
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto
from hashlib import sha256
from typing import Final

from msgspec import Struct

from rebound.access.domain import hash_of
from rebound.kernel.errors import ConflictError

INVITATION_LASTS: Final = timedelta(days=3)
SHORTEST_LINK: Final = timedelta(minutes=1)
CODE_LASTS: Final = timedelta(minutes=10)
CODE_DIGITS: Final = 8
MOST_TRIES: Final = 5
"""Of codes at one attempt to sign in."""
BROWSER_KNOWN_FOR: Final = timedelta(days=180)
"""After somebody has signed in from a browser."""
SESSION_LASTS: Final = timedelta(days=7)
SESSION_RESTS: Final = timedelta(hours=12)
"""A session that nobody uses for so long is over."""
SEEN_EVERY: Final = timedelta(minutes=30)
"""That a session is used is noted so often at most, so that one may end so much before ``SESSION_RESTS``."""
MOST_MEMBERS: Final = 200
"""Of one business, or operators."""
MAX_LOCATION: Final = 128
AUDIT_KEPT: Final = timedelta(days=400)
"""How long it is kept what somebody did: a year, and what of it is looked into a little late."""
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SESSION_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{1,128}([0-9a-f]{64})")
_FORM_TOKEN: Final = b"rebound console: form token of "
OPERATORS: Final = "*"
"""The place of operators' forms, which no business is called."""


class Right(Enum):
    """What a page may need."""

    READ = auto()
    EDIT_CUSTOMERS = auto()
    SEND = auto()
    """Messages and campaigns."""
    EDIT_TEMPLATES = auto()
    EDIT_SEGMENTS = auto()
    SETTINGS = auto()
    STAFF = auto()
    KEYS = auto()
    FILES = auto()
    """Imports and exports."""
    CLEAN_UP = auto()
    """Deleting many customers at once."""
    HISTORY = auto()
    """What everybody else did."""
    OPERATE = auto()
    """The stack as a whole: never the customers of a business."""


class Role(StrEnum):
    """What somebody is in one business, or to the stack."""

    OWNER = "owner"
    STAFF = "staff"
    VIEWER = "viewer"
    OPERATOR = "operator"
    """Of the stack, and of no business: owners are tenants."""

    def may(self, right: Right) -> bool:
        """Whether somebody with this role may do it."""
        return right in _RIGHTS[self]


ROLES_OF_BUSINESSES: Final = (Role.OWNER, Role.STAFF, Role.VIEWER)
_RIGHTS: Final[Mapping[Role, frozenset[Right]]] = {
    Role.OWNER: frozenset(Right) - {Right.OPERATE},
    Role.STAFF: frozenset(
        {Right.READ, Right.EDIT_CUSTOMERS, Right.SEND, Right.EDIT_TEMPLATES, Right.EDIT_SEGMENTS},
    ),
    Role.VIEWER: frozenset({Right.READ}),
    Role.OPERATOR: frozenset({Right.OPERATE}),
}


class StaffMember(Struct, frozen=True):
    """Somebody in one business, or an operator (``business_id`` is ``None``).

    ``email`` is canonical: in lower case, as contacts have it. ``member_id`` names the membership and nobody's person:
    who is removed and invited again gets another. ``location_id`` is where they work.
    ``last_signed_in_at`` is when they last came to look at this business. ``version`` counts writes of the stored row.
    """

    business_id: str | None
    email: str
    role: Role
    member_id: str
    invited_at: datetime
    invited_by: str | None = None
    location_id: str | None = None
    language: str | None = None
    last_signed_in_at: datetime | None = None
    version: int = 0


class Roster(Struct, frozen=True):
    """Who belongs to a business, or the operators: the one row by which it is decided who is the last owner."""

    business_id: str | None
    roles: Mapping[str, Role]
    """By email."""
    version: int = 0

    def with_role(self, email: str, role: Role) -> Roster:
        """With somebody in a role. Raises ``ConflictError`` for the last owner, and for one person too many."""
        if email not in self.roles and len(self.roles) >= MOST_MEMBERS:
            raise ConflictError("too_many_staff", f"At most {MOST_MEMBERS} people may sign in; remove one first.")
        return self._kept_by_an_owner({**self.roles, email: role})

    def without(self, email: str) -> Roster:
        """Without somebody. Raises ``ConflictError`` for the last owner."""
        return self._kept_by_an_owner({other: role for other, role in self.roles.items() if other != email})

    def _kept_by_an_owner(self, roles: Mapping[str, Role]) -> Roster:
        if Role.OWNER in self.roles.values() and Role.OWNER not in roles.values():
            raise ConflictError("last_owner", "The business has no other owner; make somebody else one first.")
        return replace(self, roles=roles)


class Person(Struct, frozen=True):
    """Somebody as of now: all memberships of one address. An address of nobody's has none.

    ``generation`` changes when they sign out everywhere: sessions and links of another one are over.
    """

    email: str
    memberships: Sequence[StaffMember] = ()
    generation: int = 0

    def in_business(self, business_id: str | None) -> StaffMember | None:
        """Their membership of a business, or as an operator."""
        return next((each for each in self.memberships if each.business_id == business_id), None)

    def by_id(self, member_id: str | None) -> StaffMember | None:
        """The membership with an id, if they still have it."""
        return next((each for each in self.memberships if each.member_id == member_id), None)


class SessionKey(Struct, frozen=True):
    """Where a session is kept: with its person, so that one request reads both."""

    person_key: str
    session_hash: str


class Session(Struct, frozen=True):
    """Somebody who is signed in, in one browser. What they may do is never here: their membership says it.

    ``member_id`` and ``business_id`` are of the membership that is looked at; without a ``member_id``, none was chosen
    yet (an operator's has no business). One that began ``by_link`` looks at the membership of the link and at no other:
    whoever invites somebody may have the link in hand, and a code only the person has.
    """

    session_hash: str
    email: str
    generation: int
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    business_id: str | None = None
    member_id: str | None = None
    by_link: bool = False
    version: int = 0

    @property
    def key(self) -> SessionKey:
        """Where it is kept."""
        return SessionKey(person_key(self.email), self.session_hash)

    def is_over(self, now: datetime) -> bool:
        """Whether it has ended by itself: unused for too long, or a week old."""
        return now >= self.expires_at or now >= self.seen_at + SESSION_RESTS

    def may_look_at(self, member: StaffMember) -> bool:
        """Whether a membership of its person is open to it."""
        return not self.by_link or member.member_id == self.member_id

    def looking_at(self, member: StaffMember) -> Session:
        """The same for another membership."""
        return replace(self, business_id=member.business_id, member_id=member.member_id)


class SignedIn(Struct, frozen=True):
    """Who a request is from.

    ``member`` is who they are in the business that they look at, as of now; ``None`` while they have not chosen among
    several. ``others`` are their other memberships that this session may look at. ``csrf`` goes into forms: see
    ``csrf_of``.
    """

    email: str
    member: StaffMember | None
    others: Sequence[StaffMember]
    session_hash: str
    csrf: str

    def sent(self, form_token: str) -> bool:
        """Whether a form was made for this session and for the business that it looks at now; in constant time."""
        return hmac.compare_digest(form_token.encode(errors="surrogatepass"), self.csrf.encode())

    def is_of_another_place(self, form_token: str) -> bool:
        """Whether a form says that it was made for another business, or for the stack, than is looked at now."""
        return _place_in(form_token) not in ("", _place_in(self.csrf))


class NewSession(Struct, frozen=True):
    """A session and its token, which is given to the browser and kept nowhere.

    ``browser`` is another token that the browser keeps for longer: by it, it is known when its person asks for a code.
    It opens nothing.
    """

    token: str
    session: Session
    browser: str


class WrongCode(Struct, frozen=True):
    """The code was not that of the attempt; so many tries are left."""

    tries_left: int


class Attempt(Struct, frozen=True):
    """An attempt to sign in by a code: also that of an address which is nobody's, and which no code opens.

    ``tries`` is how many codes were tried.
    """

    attempt_hash: str
    email: str
    code_hash: str
    expires_at: datetime
    tries: int = 0

    def is_over(self, now: datetime) -> bool:
        """Whether no code is taken any more."""
        return now >= self.expires_at or self.tries >= MOST_TRIES

    def opens_with(self, token: str, code: str) -> bool:
        """Whether a code is the right one; compared in constant time."""
        return hmac.compare_digest(hash_of_code(token, code), self.code_hash)


class SignInLink(Struct, frozen=True):
    """A link that signs somebody in, once. It is for one membership, and over when that ends."""

    link_hash: str
    email: str
    business_id: str | None
    member_id: str
    generation: int
    expires_at: datetime


class Limit(Struct, frozen=True):
    """How often something may be done within a time."""

    most: int
    within: timedelta


CODES_TO_ADDRESS: Final = Limit(10, timedelta(hours=1))
"""Codes sent to an address for browsers that its person never signed in from."""
CODES_TO_REQUESTER: Final = Limit(5, timedelta(hours=1))
"""Those of them that are asked for from one place in the network: fewer, so that nobody uses up all by themselves."""
CODES_TO_BROWSER: Final = Limit(10, timedelta(hours=1))
"""Codes sent to an address for a browser that its person has signed in from: no stranger uses these up."""
INVITATIONS_OF_BUSINESS: Final = Limit(50, timedelta(days=1))
INVITATIONS_TO_ADDRESS: Final = Limit(5, timedelta(days=1))
"""From whichever business."""


class Recent(Struct, frozen=True):
    """When something was done of late; ``what`` names it."""

    what: str
    times: Sequence[datetime] = ()
    version: int = 0

    def with_another(self, now: datetime, limit: Limit) -> Recent | None:
        """With one more; ``None`` when there are as many as there may be."""
        recent = [at for at in self.times if at > now - limit.within]
        return None if len(recent) >= limit.most else replace(self, times=[*recent, now])


def codes_to(email: str) -> str:
    """The name of all codes to an address, save those for browsers that are known."""
    return f"codes#{email}"


def codes_from(email: str, requester: str) -> str:
    """The name of those that are asked for from one place; neither can be read in it."""
    return f"codes-from#{sha256(f'{requester} {email}'.encode(errors='surrogatepass')).hexdigest()}"


def codes_in(browser_hash: str) -> str:
    """The name of those for a browser that is known."""
    return f"codes-in#{browser_hash}"


def invitations_of(business_id: str) -> str:
    """The name of all invitations of a business."""
    return f"invitations-of#{business_id}"


def invitations_to(email: str) -> str:
    """The name of all invitations to an address."""
    return f"invitations-to#{email}"


class Way(StrEnum):
    """How somebody signed in."""

    CODE = "code"
    LINK = "link"


class AuditEntry(Struct, frozen=True):
    """Something that was done in the console, once it was done.

    ``entry_id`` is a ULID, so that entries are in the order of time. ``did`` is a name such as ``campaign.sent``, which
    begins with the kind of what it was done to. ``object_id`` and ``name`` say to which one, as it was called then; the
    name of a customer is never kept here, since only their own rows are forgotten with them. ``details`` are few and
    short. ``email`` is the address that ``member_id`` had then.
    """

    entry_id: str
    at: datetime
    member_id: str
    email: str
    did: str
    object_id: str | None = None
    name: str | None = None
    details: Mapping[str, Sequence[str]] = {}

    @property
    def kind(self) -> str:
        """Of what it was done to."""
        return self.did.partition(".")[0]

    @property
    def object_key(self) -> ObjectKey | None:
        """What it was done to; ``None`` where there is only one of its kind."""
        return None if self.object_id is None else ObjectKey(self.kind, self.object_id)


class ObjectKey(Struct, frozen=True):
    """One thing that something was done to."""

    kind: str
    object_id: str


def hash_of_token(token: str) -> str | None:
    """A token as it is kept; ``None`` for what was never one, whoever made it up."""
    return hash_of(token) if _TOKEN.fullmatch(token) else None


def person_key(email: str) -> str:
    """The name under which somebody is kept, and which their sessions' tokens have: none that can be read."""
    return sha256(email.encode()).hexdigest()


def session_token(secret: str, email: str) -> str:
    """The token of a session, or of a browser: a secret, and whose it is."""
    return secret + person_key(email)


def session_of(token: str) -> SessionKey | None:
    """Where the session of a token is; ``None`` for what was never one, whoever made it up."""
    read = _SESSION_TOKEN.fullmatch(token)
    return SessionKey(read[1], hash_of(token)) if read else None


def code_of(secret: str) -> str:
    """A code that nobody can guess, made of a secret."""
    return f"{int.from_bytes(sha256(secret.encode()).digest()) % 10**CODE_DIGITS:0{CODE_DIGITS}}"


def hash_of_code(token: str, code: str) -> str:
    """A code as it is kept: bound to the token of its attempt, so that the row alone does not tell it."""
    return hmac.digest(token.encode(), tidied_code(code).encode(errors="surrogatepass"), "sha256").hex()


def tidied_code(code: str) -> str:
    """A code without the spaces and dashes that people and programs put between its digits."""
    return "".join(code.split()).replace("-", "")


def csrf_of(token: str, member: StaffMember | None) -> str:
    """What the forms of a session carry while it looks at a membership, or at none yet.

    It is made of the session's token and does not lead back to it, and it ends with the place that the form is for: a
    business's id, or ``OPERATORS``. So a form that was opened for one business does nothing in another.
    """
    return _csrf_of(token, "" if member is None else member.business_id or OPERATORS)


def is_of_session(form_token: str, token: str) -> bool:
    """Whether a form was made for a session, wherever it looked then; compared in constant time."""
    own = _csrf_of(token, _place_in(form_token))
    return hmac.compare_digest(form_token.encode(errors="surrogatepass"), own.encode(errors="surrogatepass"))


def _csrf_of(token: str, place: str) -> str:
    made = hmac.digest(token.encode(), _FORM_TOKEN + place.encode(errors="surrogatepass"), "sha256")
    return f"{made.hex()}.{place}"


def _place_in(form_token: str) -> str:
    """The place that a form says it is for; empty for one that was made before any was chosen."""
    return form_token.partition(".")[2]
