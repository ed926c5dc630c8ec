"""Emails as their readers would see them, in frames of pages of the console.

What a business or a program has written is HTML of somebody else: it gets an address of its own and a policy of its
own. Nothing in it runs, sends or opens anything, it is of no origin and so reaches neither the page around it nor the
session, and only pages of the console show it. The macro ``frames`` (``macros.html``) shows such an address at the
widths of a phone and of a desk.
"""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from markupsafe import Markup

from rebound.console.http.requests import PageAnswer

POLICY: Final = "default-src 'none'; img-src data: https:; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'"
HEADERS: Final = {"Content-Security-Policy": POLICY, "X-Frame-Options": "SAMEORIGIN"}
_LINKS_STAY: Final = '<base target="_blank">'
"""A link would open a window, which ``sandbox`` forbids: a click leaves the preview where it is.

It may stand last: a browser asks for it at the click."""
_PLAIN: Final = (
    '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<body style=\"margin:1rem;font:1rem/1.5 system-ui,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;"
    'white-space:pre-wrap;overflow-wrap:anywhere">'
)
_BUBBLE: Final = (
    "display:inline-block;margin:0;padding:.625rem .875rem;border-radius:1.125rem;background:#e9e9eb;color:#000"
)


def framed(html: str) -> PageAnswer:
    """The HTML of an email as the document of a frame."""
    return PageAnswer(HTTPStatus.OK, html + _LINKS_STAY, HEADERS)


def framed_text(text: str) -> PageAnswer:
    """What has no HTML, as the document of a frame."""
    return framed(f"{_PLAIN}{Markup.escape(text)}")


def framed_text_message(text: str) -> PageAnswer:
    """A text message, as a phone shows it."""
    return framed(f'{_PLAIN}<p style="{_BUBBLE}">{Markup.escape(text)}')


def framed_flaws(said: Iterable[str]) -> PageAnswer:
    """In place of an email that cannot be shown, what is wrong with it.

    A document like any other: nothing was asked for that is refused, and to a browser each refusal is an error.
    """
    return PageAnswer(HTTPStatus.OK, f"{_PLAIN}{Markup.escape('\n'.join(said))}", HEADERS)
