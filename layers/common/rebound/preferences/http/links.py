"""The public door behind the links in messages: pages for people, and RFC 8058 for mail programs.

Reading (GET, HEAD) never changes anything, because mail scanners and browsers follow links on their own. Whatever is no
link of ours gets a page that says so. The address of a request holds its token and is never logged.
"""

import base64
import binascii
from collections.abc import Mapping
from email import message_from_bytes
from email.policy import HTTP
from http import HTTPStatus
from typing import Any, Final, Protocol
from urllib.parse import parse_qs

from rebound.kernel.consent_words import Scope
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.kernel.languages import LANGUAGES
from rebound.messages.domain.links import Purpose
from rebound.preferences.application.confirm_appointment import ConfirmAppointment
from rebound.preferences.application.follow_links import FollowLinks
from rebound.preferences.application.own_profile import OwnProfile
from rebound.preferences.application.relation_invitations import AnswerInvitation
from rebound.preferences.domain import Choice, Switches
from rebound.preferences.http import pages
from rebound.preferences.http.pages import HtmlPage

MAX_BODY: Final = 4096
"""More than any form of ours, also as multipart/form-data."""
MAX_PROFILE: Final = 24_576
"""More than the form of a profile, each of whose values comes with what was shown, every letter escaped."""
MAX_FIELDS: Final = 32
SHORT: Final = "stop"
"""The path of the links in texts, which are short for those to unsubscribe."""
_HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": pages.CONTENT_SECURITY_POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}

_ASKING: Final = {
    Purpose.UNSUBSCRIBE: pages.ask_to_unsubscribe,
    Purpose.CONFIRM: pages.ask_to_confirm,
    Purpose.PREFERENCES: pages.preferences,
}
"""The page that asks, by the purpose of a link."""

type Answer = tuple[HTTPStatus, HtmlPage]


class Pages(Protocol):
    """What the pages need."""

    @property
    def follow_links(self) -> FollowLinks:
        """For the links by which people choose what they get."""

    @property
    def confirm_appointment(self) -> ConfirmAppointment:
        """For those by which they confirm an appointment."""

    @property
    def own_profile(self) -> OwnProfile:
        """For those by which they correct their own details."""

    @property
    def answer_invitation(self) -> AnswerInvitation:
        """For those by which they say whether they belong to somebody."""


def respond(event: Mapping[str, Any], behind: Pages) -> Mapping[str, Any]:
    """Answer one request of API Gateway."""
    status, page = _answer(event, behind)
    body = "" if event["httpMethod"] == "HEAD" else page.html
    headers = {**_HEADERS, "Content-Language": page.language}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "1"
    return {"statusCode": status, "headers": headers, "body": body, "isBase64Encoded": False}


def _answer(event: Mapping[str, Any], behind: Pages) -> Answer:
    """Do what a form asks for and show how things stand then; for everything else the page that asks."""
    *_, name, token = event["path"].rstrip("/").split("/")
    purpose = Purpose(name) if name in list(Purpose) else Purpose.UNSUBSCRIBE if name == SHORT else Purpose.PREFERENCES
    if len(event.get("body") or "") > (MAX_PROFILE if purpose is Purpose.PROFILE else MAX_BODY):
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, pages.not_understood(_read_by(event))
    posted = event["httpMethod"] == "POST"
    form = _form(event) if posted else {}
    try:
        if purpose is Purpose.PROFILE:
            return _about_profile(behind, token, form, posted=posted)
        if purpose is Purpose.RELATION:
            return _about_relation(behind, token, form, posted=posted)
        if purpose is Purpose.APPOINTMENT:
            return _about_appointment(behind.confirm_appointment, token, form, posted=posted)
        links = behind.follow_links
        token = links.reader.token_of(token) if name == SHORT else token
        match purpose:
            # RFC 8058 §3.2: the pair tells the one click from everything else that may be sent here.
            case Purpose.UNSUBSCRIBE if form.get("List-Unsubscribe") == "One-Click":
                return HTTPStatus.OK, pages.unsubscribed(links.unsubscribe(token))
            case Purpose.CONFIRM if form.get("confirm") == "yes":
                return HTTPStatus.OK, pages.confirmed(links.confirm(token))
            case Purpose.PREFERENCES if (choice := _choice(form)) is not None:
                return HTTPStatus.OK, pages.preferences(links.choose(token, choice), saved=True)
        view = links.show(token, purpose)
    except NotFoundError:
        return HTTPStatus.NOT_FOUND, _no_such_link(purpose, _read_by(event))
    except ConcurrentChangeError:
        return HTTPStatus.SERVICE_UNAVAILABLE, pages.come_again(_read_by(event))
    return HTTPStatus.BAD_REQUEST if posted else HTTPStatus.OK, _ASKING[purpose](view, pressed=not posted)


def _no_such_link(purpose: Purpose, language: str) -> HtmlPage:
    if purpose in (Purpose.PROFILE, Purpose.RELATION):
        from rebound.preferences.http.profile_page import no_such_form  # noqa: PLC0415

        return no_such_form(language)
    return pages.no_such_link(language)


def _about_profile(behind: Pages, token: str, form: Mapping[str, str], *, posted: bool) -> Answer:
    # The other pages need none of it.
    from rebound.preferences.application.own_profile import FormState  # noqa: PLC0415
    from rebound.preferences.http.profile_page import profile_page  # noqa: PLC0415

    view = behind.own_profile.fill_in(token, form) if posted else behind.own_profile.show(token)
    gone = view.state in (FormState.EXPIRED, FormState.GONE)
    wrong = posted and view.state is FormState.OPEN
    status = HTTPStatus.GONE if gone else HTTPStatus.BAD_REQUEST if wrong else HTTPStatus.OK
    return status, profile_page(view)


def _about_relation(behind: Pages, token: str, form: Mapping[str, str], *, posted: bool) -> Answer:
    # The other pages need none of it.
    from rebound.preferences.http.relation_page import relation_page  # noqa: PLC0415

    answer = form.get("answer")
    if answer in ("accept", "decline"):
        return HTTPStatus.OK, relation_page(behind.answer_invitation(token, accepts=answer == "accept"))
    status = HTTPStatus.BAD_REQUEST if posted else HTTPStatus.OK
    return status, relation_page(behind.answer_invitation.show(token), pressed=not posted)


def _about_appointment(links: ConfirmAppointment, token: str, form: Mapping[str, str], *, posted: bool) -> Answer:
    if form.get("confirm") == "yes":
        return HTTPStatus.OK, pages.appointment(links.confirm(token))
    status = HTTPStatus.BAD_REQUEST if posted else HTTPStatus.OK
    return status, pages.appointment(links.show(token), pressed=not posted)


def _choice(form: Mapping[str, str]) -> Choice | Switches | None:
    """What a form chooses: the switches of our page, or one of the words that former pages had; ``None`` for others.

    A box that is not ticked is not in a form, so the form says of each how it was. (One of the two buttons of ``all``
    is always pressed.) A form with the word is of
    a former page, or of a program that knows no other.
    """
    if "choice" in form:
        return Choice(form["choice"]) if form["choice"] in list(Choice) else None
    was = {scope: form[pages.WAS + scope] for scope in Scope if pages.WAS + scope in form}
    given = {scope: form[scope] for scope in Scope if scope in form}
    if not was or not {*was.values(), *given.values()} <= {pages.ON, pages.OFF} or not given.keys() <= was.keys():
        return None
    return Switches(
        {scope: value == pages.ON for scope, value in was.items()},
        {scope: given.get(scope, was[scope] if scope is Scope.ALL else pages.OFF) == pages.ON for scope in was},
    )


def _header(event: Mapping[str, Any], name: str) -> str:
    headers = {each.lower(): value for each, value in (event.get("headers") or {}).items()}
    return headers.get(name) or ""


def _read_by(event: Mapping[str, Any]) -> str:
    """The language of a page that is about nobody: the first that the browser names in which there is one."""
    wanted = (each.strip()[:2].lower() for each in _header(event, "accept-language").split(","))
    return next((language for language in wanted if language in LANGUAGES), "en")


def _form(event: Mapping[str, Any]) -> Mapping[str, str]:
    """The fields of a form; none of what is not one. RFC 8058 lets mail programs send either kind."""
    content_type = _header(event, "content-type")
    given: str = event.get("body") or ""
    try:
        body = base64.b64decode(given, validate=True) if event.get("isBase64Encoded") else given.encode()
        if content_type.partition(";")[0].strip().lower() == "multipart/form-data":
            return _multipart(content_type, body)
        pairs = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, strict_parsing=True)
    except (binascii.Error, ValueError):
        return {}
    return {name: values[0].strip() for name, values in pairs.items()}


def _multipart(content_type: str, body: bytes) -> Mapping[str, str]:
    head = f"Content-Type: {content_type.splitlines()[0]}\r\n\r\n".encode("latin-1", "replace")
    form = message_from_bytes(head + body, policy=HTTP)
    found: dict[str, str] = {}
    for part in form.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            found.setdefault(name, content.decode(errors="replace").strip())
    return found
