"""A request for a page of the console, and what is answered."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from http import HTTPStatus
from ipaddress import ip_address, ip_network
from typing import Any, Final
from urllib.parse import parse_qs, quote, unquote

from msgspec import Struct, field

from rebound.kernel.errors import FieldError, InvalidInputError

MAX_FORM: Final = 512 * 1024
"""Bytes of a form as API Gateway hands it over."""
MAX_FIELDS: Final = 2000
ROOT: Final = "console"
"""The first part of every page's path."""
_LEADS_TO_ROOT: Final = re.compile(r"\./|(\.\./){1,8}")


class Form(Struct, frozen=True):
    """The fields of a form or of a query, each with all its values, in their order."""

    values: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        """Whether there is such a field, empty or not."""
        return name in self.values

    def one(self, name: str, default: str = "") -> str:
        """The first value without the blanks around it."""
        found = self.values.get(name)
        return found[0].strip() if found else default

    def given(self, name: str) -> str | None:
        """The first value; ``None`` where there is none or it is empty."""
        return self.one(name) or None

    def choice[C: StrEnum](self, name: str, choices: type[C]) -> C:
        """The value where there is one of these only. Raises ``InvalidInputError``."""
        try:
            return choices(self.one(name))
        except ValueError:
            raise InvalidInputError(FieldError(name, f"Must be one of {', '.join(choices)}.")) from None

    def all(self, name: str) -> Sequence[str]:
        """All values that are not empty."""
        return [value.strip() for value in self.values.get(name, ()) if value.strip()]

    def without(self, *names: str) -> "Form":
        """The others."""
        return Form({name: values for name, values in self.values.items() if name not in names})

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """Each name with each of its values."""
        return [(name, value) for name, values in self.values.items() for value in values]


class FormError(Exception):
    """What was sent is no form of ours."""

    status = HTTPStatus.BAD_REQUEST
    said = "This is no form of the console."


class LargeFormError(FormError):
    """What was sent is more than is read."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    said = f"That was too much at once: at most {MAX_FORM // 1024} kB are read. Go back and send less."


class PageRequest(Struct, frozen=True):
    """A request: ``path`` are the parts after ``/console``, read; ``root`` leads from the page to ``/console/``.

    A script's request is for the page that the browser shows, which may be another folder's: it says its ``root``.
    """

    method: str
    path: Sequence[str]
    root: str
    query: Form
    form: Form
    headers: Mapping[str, str]
    """With names in lower case."""
    is_bare: bool = False
    """Whether the path is that of the console itself, without a slash behind it."""
    api_id: str = ""
    """Of API Gateway, which the address that the world knows may have in it."""
    requester: str = ""
    """The place that it comes from: an address, or of IPv6 the network that a household or an office has."""

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "PageRequest":
        """The request of an event of API Gateway. Raises ``FormError``."""
        parts = _parts_of(event)
        if not _is_text(*parts):
            raise FormError
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        query = event.get("multiValueQueryStringParameters") or {}
        if not _is_text(*query, *(value for values in query.values() for value in values)):
            raise FormError
        method = "GET" if event["httpMethod"] == "HEAD" else event["httpMethod"]
        # Relative, because the path before it is the stage's, a domain's or the embedded AWS's.
        root = "../" * max(0, len(parts) - 1) or "./"
        said = headers.get("console-root", "")
        return cls(
            method,
            [unquote(part) for part in parts if part],
            said if _LEADS_TO_ROOT.fullmatch(said) else root,
            Form(query),
            _form(event, headers) if method == "POST" else Form(),
            headers,
            is_bare=not parts,
            api_id=(event.get("requestContext") or {}).get("apiId", ""),
            requester=_requester(event),
        )

    @property
    def cookies(self) -> Mapping[str, str]:
        """What the browser keeps for the console, by name.

        One that comes with two different values is none: another host of the same domain may have set one of them, and
        nothing tells which (RFC 6265, 8.6).
        """
        given: dict[str, set[str]] = {}
        for pair in self.headers.get("cookie", "").split(";"):
            name, _, value = pair.strip().partition("=")
            given.setdefault(name, set()).add(value)
        return {name: values.pop() for name, values in given.items() if name and len(values) == 1}

    @property
    def comes_from_here(self) -> bool:
        """Whether the browser says that a page of ours made the request: of its own origin, and of no other.

        Every browser sends ``Origin`` with a POST, and pages cannot change it. Source: Fetch, "Origin header".
        """
        scheme, _, host = self.headers.get("origin", "").partition("://")
        return scheme in ("https", "http") and bool(host) and host == self.headers.get("host")

    @property
    def by_script(self) -> bool:
        """Whether a script of a page of ours asks, for a part of the page."""
        return "hx-request" in self.headers

    def link(self, *parts: str, query: Mapping[str, str] | None = None) -> str:
        """The address of a page, by the parts of its path, seen from this one."""
        path = self.root + "/".join(quote(part, safe="") for part in parts)
        pairs = "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in (query or {}).items())
        return f"{path}?{pairs}" if pairs else path


class PageAnswer(Struct, frozen=True):
    """An answer: ``body`` is HTML, unless ``content_type`` says otherwise."""

    status: HTTPStatus
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Sequence[str] = ()
    is_base64: bool = False


def see(address: str, *cookies: str) -> PageAnswer:
    """Go on to another page, after something was done or where there is nothing to see."""
    return PageAnswer(HTTPStatus.SEE_OTHER, headers={"Location": address}, cookies=cookies)


def _parts_of(event: Mapping[str, Any]) -> Sequence[str]:
    """The parts of the path after the console's own. What a domain puts before that may be called the same."""
    raw: list[str] = event["path"].split("/")
    # The gateway's own path says what is ours: /console/{proxy+}, or /console/operations/{proxy+}.
    asked = (event.get("pathParameters") or {}).get("proxy") or ""
    behind = unquote(event["resource"].removeprefix(f"/{ROOT}").replace("{proxy+}", asked)).strip("/")
    for index, part in enumerate(raw):
        if part == ROOT and unquote("/".join(raw[index + 1 :])).strip("/") == behind:
            return raw[index + 1 :]
    return []


def _requester(event: Mapping[str, Any]) -> str:
    given = ((event.get("requestContext") or {}).get("identity") or {}).get("sourceIp") or ""
    try:
        address = ip_address(given)
    except ValueError:
        return ""
    return str(address) if address.version == 4 else str(ip_network((address, 64), strict=False))  # noqa: PLR2004


def _is_text(*given: str) -> bool:
    """Whether all of it can be written again: JSON can name half of a character, which is none."""
    try:
        "".join(given).encode()
    except UnicodeEncodeError:
        return False
    return True


def _form(event: Mapping[str, Any], headers: Mapping[str, str]) -> Form:
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise FormError
    given: str = event.get("body") or ""
    if len(given) > MAX_FORM:
        raise LargeFormError
    try:
        text = base64.b64decode(given, validate=True).decode() if event.get("isBase64Encoded") else given
        if not _is_text(text):
            raise FormError
        return Form(parse_qs(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"))
    except (binascii.Error, ValueError):
        raise FormError from None
