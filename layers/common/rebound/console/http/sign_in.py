"""Signing in by a code or a link that was sent, and out again.

The forms here are posted to addresses directly below ``/console/``: a cookie without a path is kept for the folder of
the address that set it (RFC 6265, 5.1.4), so the console needs not know which path a domain or a stage puts before it.
"""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from rebound.console.http.frame import SESSION, home_of
from rebound.console.http.requests import PageAnswer, see
from rebound.console.http.visits import Visit
from rebound.kernel.errors import InvalidInputError
from rebound.staff.domain import BROWSER_KNOWN_FOR, NewSession, person_key

ATTEMPT: Final = "rebound_attempt"
"""The cookie that ties a code to the browser that asked for it."""
ATTEMPT_SECONDS: Final = 10 * 60
KNOWN: Final = "rebound_known_"
"""How the cookies begin by which a browser is known, one for each person who has signed in from it."""
SESSION_SECONDS: Final = 7 * 24 * 3600
_PAGE: Final = re.compile(r"[a-z][a-z-]*(/[A-Za-z0-9_-]{1,128}){0,4}")
"""What a page's path may be; nothing with a host, a scheme or a way up."""


def ask(visit: Visit) -> PageAnswer:
    """The page that asks for an address."""
    return visit.page("sign_in", next=_next(visit), email="", wrong={})


def send_code(visit: Visit) -> PageAnswer:
    """Send a code to somebody who is known, and say the same to everybody."""
    email = visit.request.form.one("email")
    try:
        known = [value for name, value in visit.request.cookies.items() if name.startswith(KNOWN)]
        attempt = visit.behind.sign_in.ask(email, visit.request.requester, known)
    except InvalidInputError as error:
        return visit.page(
            "sign_in", HTTPStatus.UNPROCESSABLE_ENTITY, next=_next(visit), email=email, wrong=visit.wrong(error)
        )
    going_to = _next(visit)
    return see(
        visit.request.link("sign-in-code", query={"next": going_to} if going_to else None),
        _cookie(ATTEMPT, attempt, ATTEMPT_SECONDS),
    )


def ask_code(visit: Visit) -> PageAnswer:
    """The page that asks for the code."""
    if ATTEMPT not in visit.request.cookies:
        return see(visit.request.link("sign-in"))
    return visit.page("sign_in_code", next=_next(visit), tries_left=None)


def take_code(visit: Visit) -> PageAnswer:
    """Sign in who has the code."""
    attempt = visit.request.cookies.get(ATTEMPT)
    if attempt is None:
        return see(visit.request.link("sign-in"))
    found = visit.behind.sign_in.with_code(attempt, visit.request.form.one("code"))
    if not isinstance(found, NewSession):
        left = found.tries_left if found is not None else 0
        return visit.page("sign_in_code", HTTPStatus.FORBIDDEN, next=_next(visit), tries_left=left)
    return see(
        visit.request.link(*(_next(visit) or _home(visit, found)).split("/")),
        *_begin(visit, found),
        _cookie(ATTEMPT, "", 0),
    )


def look_at_link(visit: Visit, token: str) -> PageAnswer:
    """The page behind a link that was sent. Looking at it does nothing: programs follow links in emails too."""
    seen = visit.behind.sign_in.look_at_link(token)
    return visit.page("sign_in_link", HTTPStatus.OK if seen else HTTPStatus.GONE, seen=seen, token=token)


def take_link(visit: Visit) -> PageAnswer:
    """Sign in who has the link."""
    new = visit.behind.sign_in.with_link(visit.request.form.one("token"))
    if new is None:
        return visit.page("sign_in_link", HTTPStatus.GONE, seen=None, token="")
    return see(visit.request.link(_home(visit, new)), *_begin(visit, new))


def sign_out(visit: Visit) -> PageAnswer:
    """End the session."""
    visit.behind.sessions.end(visit.request.cookies[SESSION])
    return see(visit.request.link("sign-in"), _cookie(SESSION, "", 0))


def sign_out_everywhere(visit: Visit) -> PageAnswer:
    """End all sessions of the person."""
    visit.behind.sessions.end_all(visit.me.email)
    return see(visit.request.link("sign-in"), _cookie(SESSION, "", 0))


def show_businesses(visit: Visit) -> PageAnswer:
    """The page that asks which business they want to look at."""
    return visit.page("choose_business", others=_others(visit))


def choose_business(visit: Visit) -> PageAnswer:
    """Look at another business that the person belongs to, or at the stack as an operator."""
    chosen = visit.behind.sessions.choose(visit.request.cookies[SESSION], visit.request.form.given("business_id"))
    return see(visit.request.link(home_of(chosen.member if chosen is not None else None)))


def _others(visit: Visit) -> Sequence[tuple[str, str]]:
    """The businesses that they belong to as well, by id and name."""
    businesses = visit.behind.ports.businesses
    ids = [other.business_id for other in visit.me.others]
    return [(id_, businesses.get(id_).name) if id_ is not None else ("", visit.words("frame.operator")) for id_ in ids]


def _home(visit: Visit, new: NewSession) -> str:
    """Where they go who have just signed in."""
    signed_in = visit.behind.sessions.find(new.token)
    return home_of(signed_in.member if signed_in is not None else None)


def _next(visit: Visit) -> str:
    """The page to go on to: one of ours, or none."""
    wanted = visit.request.form.one("next") or visit.request.query.one("next")
    return wanted if _PAGE.fullmatch(wanted) else ""


def _begin(visit: Visit, new: NewSession) -> Sequence[str]:
    """The cookies of a new session, which takes the place of the one that this browser had, and of the browser."""
    before = visit.request.cookies.get(SESSION)
    if before:
        visit.behind.sessions.end(before)
    known = KNOWN + person_key(new.session.email)[:12]
    lasts = int(BROWSER_KNOWN_FOR.total_seconds())
    return _cookie(SESSION, new.token, SESSION_SECONDS), _cookie(known, new.browser, lasts)


def _cookie(name: str, value: str, seconds: int) -> str:
    return f"{name}={value}; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax"
