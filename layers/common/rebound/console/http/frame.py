"""The door to the console: who asks, whether they may, and that a form is one of ours that they sent themselves.

What changes something is a POST from a page of this console (``Origin``), with the token of the session that the page
was made for. Where either is missing nothing is done; where only the token is another session's, because somebody was
signed out in the middle, what they typed is shown again to be sent again. A form that was opened for one business does
nothing while another is looked at, and is not offered again there.
"""

from collections.abc import Mapping, Sequence
from copy import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from rebound.access.domain import acting
from rebound.console.http.history.entries import write_down
from rebound.console.http.rendering import HEADERS, static_file
from rebound.console.http.requests import ROOT, FormError, PageAnswer, PageRequest, see
from rebound.console.http.routes import SIGNED_IN, Route, find
from rebound.console.http.visits import Visit
from rebound.console.http.words import Words, language_of
from rebound.kernel.errors import ConcurrentChangeError, ConflictError, InvalidInputError, NotFoundError
from rebound.platform.telemetry import logger
from rebound.staff.domain import Role, is_of_session

if TYPE_CHECKING:
    from rebound.console.wiring import ConsoleUseCases
    from rebound.staff.domain import SignedIn, StaffMember

SESSION: Final = "rebound_session"
"""The cookie with the session's token."""
HOME: Final = "customers"
"""The page that somebody who signs in comes to."""
OPERATIONS: Final = "operations"
"""The page that operators come to."""
CSRF: Final = "csrf"
"""The field of every form with the token of the page's session."""


def home_of(member: "StaffMember | None") -> str:
    """The page that somebody comes to who is signed in."""
    return OPERATIONS if member is not None and member.role is Role.OPERATOR else HOME


def respond(event: Mapping[str, Any], behind: "ConsoleUseCases", *, operations: bool = False) -> Mapping[str, Any]:
    """Answer one request of API Gateway: for one of the pages of operators with ``operations``, else for any other."""
    try:
        answer = _answer(PageRequest.of(event), behind, operations=operations)
    except FormError as error:
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        answer = _without_page(error.status, error.said, headers)
    headers = {**HEADERS, **answer.headers}
    return {
        "statusCode": answer.status,
        "headers": headers,
        **({"multiValueHeaders": {"Set-Cookie": list(answer.cookies)}} if answer.cookies else {}),
        "body": "" if event["httpMethod"] == "HEAD" else answer.body,
        "isBase64Encoded": answer.is_base64,
    }


_PLAIN: Final = {"Content-Type": "text/plain; charset=utf-8"}


def _without_page(status: HTTPStatus, said: str, headers: Mapping[str, str]) -> PageAnswer:
    """A sentence alone, where nobody knows who asks, in a language that their browser names."""
    words = Words(language_of(None, headers.get("accept-language", "")))
    return PageAnswer(status, words.said(said), _PLAIN)


def _answer(request: PageRequest, behind: "ConsoleUseCases", *, operations: bool) -> PageAnswer:
    token = request.cookies.get(SESSION)
    match list(request.path):
        case ["static", name] if request.method == "GET":
            return static_file(name)
        case []:
            signed_in = behind.sessions.find(token) if token else None
            home = home_of(signed_in.member) if signed_in is not None else HOME
            # What a link on the page leads to depends on the slash.
            return see(f"{ROOT}/{home}" if request.is_bare else home)
    found, ids = find(request.path)
    routes = {method: route for method, route in found.items() if route.is_for_operators is operations}
    if request.method == "POST" and not request.comes_from_here:
        said = "A form of the console is sent from a page of the console."
        return _without_page(HTTPStatus.FORBIDDEN, said, request.headers)
    signed_in = behind.sessions.find(token) if token else None
    visit = Visit(request, behind, signed_in)
    route = routes.get(request.method)
    if route is None:
        return _no_page(visit, allowed=list(routes))
    if not route.rights:
        # Whoever signs in again, perhaps as somebody else, sees the page as everybody does.
        return _handled(route, Visit(request, behind, None), ids)
    if signed_in is None:
        return _signed_out(visit)
    if signed_in.member is None and route.rights is not SIGNED_IN:
        return _without_business(visit)
    if not any(map(visit.may, route.rights)):
        return visit.instead("refused", HTTPStatus.FORBIDDEN)
    if request.method == "POST" and not _is_own(route, signed_in, request):
        return _send_again(visit, HTTPStatus.FORBIDDEN)
    return _done(route, visit, ids)


def _is_own(route: Route, signed_in: "SignedIn", request: PageRequest) -> bool:
    """Whether a form is of this session, and of the business that is looked at unless it is about none."""
    form_token = request.form.one(CSRF)
    if route.rights is SIGNED_IN:
        return is_of_session(form_token, request.cookies[SESSION])
    return signed_in.sent(form_token)


def _done(route: Route, visit: Visit, ids: Sequence[str]) -> PageAnswer:
    """The answer to somebody who may; what they did is written down."""
    with acting(visit.me.email):
        answer = _handled(route, visit, ids)
    if visit.request.method == "POST":
        write_down(route, visit, ids, answer)
    return answer


def _handled(route: Route, visit: Visit, ids: Any) -> PageAnswer:
    try:
        return route.handle(visit, *ids)
    except NotFoundError:
        return _no_page(visit)
    except InvalidInputError as error:
        return visit.instead("not_done", HTTPStatus.UNPROCESSABLE_ENTITY, said=[each.message for each in error.errors])
    except ConflictError as error:
        return visit.instead("not_done", HTTPStatus.CONFLICT, said=[str(error)])
    except (OverflowError, RecursionError):
        # Of what was sent: a time outside of the calendar, or one part within another thousands of times.
        logger().warning("a form of the console is beyond what is read", exc_info=True)
        return visit.instead("not_done", HTTPStatus.UNPROCESSABLE_ENTITY, said=[visit.words("not_done.beyond_reading")])
    except ConcurrentChangeError:
        return visit.instead("changed_meanwhile", HTTPStatus.CONFLICT)


def _no_page(visit: Visit, *, allowed: Sequence[str] = ()) -> PageAnswer:
    if not allowed:
        return visit.instead("no_page", HTTPStatus.NOT_FOUND)
    answer = visit.instead("no_page", HTTPStatus.METHOD_NOT_ALLOWED)
    return replace(answer, headers={**answer.headers, "Allow": ", ".join(sorted(allowed))})


def _without_business(visit: Visit) -> PageAnswer:
    """The way to choose one; what was typed is kept."""
    if visit.request.method == "POST" or visit.request.by_script:
        return _send_again(visit, HTTPStatus.CONFLICT, before="choose-business")
    return see(visit.request.link("choose-business"))


def _signed_out(visit: Visit) -> PageAnswer:
    """The way to sign in, which comes back to the page; what was typed is kept."""
    request = visit.request
    if request.method == "POST" or request.by_script:
        return _send_again(visit, HTTPStatus.UNAUTHORIZED, before="sign-in")
    return see(request.link("sign-in", query={"next": "/".join(request.path)} if request.path else None))


def _send_again(visit: Visit, status: HTTPStatus, *, before: str | None = None) -> PageAnswer:
    """What was typed, to be sent with the token of the session that there is now, or once there is one.

    ``before`` is the page that somebody must have been to first; until then the form stays one of its own business.
    """
    request = visit.request
    form_token = request.form.one(CSRF)
    if before is None and visit.me.is_of_another_place(form_token):
        return visit.instead("other_place", status)
    kept = {} if before is None else {"csrf": form_token}
    return visit.instead(
        "send_again",
        status,
        address=request.link(*request.path),
        fields=request.form.without(CSRF).pairs if request.method == "POST" else None,
        before=before,
        **kept,
    )
