"""A request for a page of the console, and what is answered."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs, quote, unquote

from msgspec import Struct, field

MAX_FORM: Final = 512 * 1024
"""Bytes of a form as API Gateway hands it over."""
MAX_FIELDS: Final = 2000
ROOT: Final = "console"
"""The first part of every page's path."""


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


class PageRequest(Struct, frozen=True):
    """A request: ``path`` are the parts after ``/console``, read; ``root`` leads from the page to ``/console/``."""

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

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "PageRequest":
        """The request of an event of API Gateway. Raises ``FormError``."""
        raw = event["path"].split("/")
        parts = raw[raw.index(ROOT) + 1 :] if ROOT in raw else []
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        query = event.get("multiValueQueryStringParameters") or {}
        method = "GET" if event["httpMethod"] == "HEAD" else event["httpMethod"]
        return cls(
            method,
            [unquote(part) for part in parts if part],
            # Relative, because the path before it is the stage's, a domain's or the embedded AWS's.
            "../" * max(0, len(parts) - 1) or "./",
            Form(query),
            _form(event, headers) if method == "POST" else Form(),
            headers,
            is_bare=not parts,
            api_id=(event.get("requestContext") or {}).get("apiId", ""),
        )

    @property
    def cookies(self) -> Mapping[str, str]:
        """What the browser keeps for the console, by name."""
        pairs = (pair.strip().partition("=") for pair in self.headers.get("cookie", "").split(";"))
        return {name: value for name, _, value in pairs if name}

    @property
    def comes_from_here(self) -> bool:
        """Whether the browser says that a page of ours made the request: of its own origin, and of no other.

        Every browser sends ``Origin`` with a POST, and pages cannot change it. Source: Fetch, "Origin header".
        """
        scheme, _, host = self.headers.get("origin", "").partition("://")
        return bool(scheme) and host == self.headers.get("host", "")

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


def _form(event: Mapping[str, Any], headers: Mapping[str, str]) -> Form:
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise FormError
    given: str = event.get("body") or ""
    if len(given) > MAX_FORM:
        raise FormError
    try:
        text = base64.b64decode(given, validate=True).decode() if event.get("isBase64Encoded") else given
        return Form(parse_qs(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"))
    except (binascii.Error, ValueError):
        raise FormError from None
