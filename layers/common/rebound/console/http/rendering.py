"""Pages out of templates, and the files that they refer to."""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from rebound.console.http.requests import PageAnswer

_HERE: Final = Path(__file__).parent
_STATIC: Final = _HERE / "static"
_KINDS: Final = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


def policy(*form_targets: str) -> str:
    """What a page may do; its forms may also be sent to, and led on to, the origins ``form_targets``."""
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        f"frame-src 'self'; form-action {' '.join(("'self'", *form_targets))}; base-uri 'none'; frame-ancestors 'none'"
    )


CONTENT_SECURITY_POLICY: Final = policy()
HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def html(template: str, values: Mapping[str, Any]) -> str:
    """A page out of a template; whatever is filled in is escaped, and a name that is not there is an error."""
    return _environment().get_template(f"{template}.html").render(values, static=static_name)


@cache
def static_name(name: str) -> str:
    """The name of a file in its address, which changes with what is in it, so that browsers may keep it for good."""
    stem, _, ending = name.rpartition(".")
    return f"{stem}.{sha256((_STATIC / name).read_bytes()).hexdigest()[:12]}.{ending}"


@cache
def _files() -> Mapping[str, Path]:
    return {static_name(path.name): path for path in _STATIC.iterdir() if path.suffix in _KINDS}


def static_file(name: str) -> PageAnswer:
    """A file by the name in its address."""
    path = _files().get(name)
    if path is None:
        return PageAnswer(HTTPStatus.NOT_FOUND, headers={"Content-Type": "text/plain; charset=utf-8"})
    headers = {"Content-Type": _KINDS[path.suffix], "Cache-Control": "public, max-age=31536000, immutable"}
    return PageAnswer(HTTPStatus.OK, path.read_text(encoding="utf-8"), headers)
