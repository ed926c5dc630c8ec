"""Whether a message can be sent as it would read for one recipient: previews and senders ask the same."""

from collections.abc import Mapping
from typing import Final

from rebound.businesses.domain.business import Business
from rebound.customers.domain import Customer, language_for
from rebound.kernel.categories import Category
from rebound.kernel.languages import LANGUAGES
from rebound.templates.domain.content import MAX_TEXT_CHARACTERS, Content, EmailContent, TextContent
from rebound.templates.domain.footers import LINKS, LINKS_OF_OTHERS, LINKS_OF_TEXTS
from rebound.templates.domain.rendering import (
    LONGEST_USUAL,
    MAX_EMAIL_CHARACTERS,
    VARIABLES,
    RenderedEmail,
    as_data,
    render_email,
    render_text,
    size_of,
    values_of,
)

MAX_SUBJECT: Final = 998
"""RFC 5322 §2.1.1: the longest line."""
_MOST_UNITS: Final = 6
"""Of one character in what SES counts: JSON's longest escape."""
_LONGEST_VALUE: Final = 254
"""Of a customer's value: that of an email address."""
_EXTREMES: Final = ("", '"' * _LONGEST_VALUE, "\N{GRINNING FACE}" * _LONGEST_VALUE)
"""The shortest value, and those that become longest where HTML, JSON or a link wants them escaped."""
_OF_LINKS: Final = (*LINKS, *LINKS_OF_OTHERS, *LINKS_OF_TEXTS)


def email_to_send(
    content: EmailContent, category: Category, language: str, values: Mapping[str, str]
) -> RenderedEmail | None:
    """The email for one recipient (``render_email``); ``None`` without a subject, or if it is more than SES takes."""
    email = render_email(content, category, language, values)
    if not email.subject.strip() or len(email.subject) > MAX_SUBJECT:
        return None
    # Written out and counted only where it may matter: few emails come near the limit.
    characters = len(email.subject) + len(email.html) + len(email.text)
    if characters * _MOST_UNITS > MAX_EMAIL_CHARACTERS and size_of(as_data(email)) > MAX_EMAIL_CHARACTERS:
        return None
    return email


def text_to_send(content: TextContent, values: Mapping[str, str], *, smart: bool = False) -> str | None:
    """The text for one recipient (``render_text``); ``None`` if it is empty, or longer than providers take."""
    body = render_text(content, values, smart=smart)
    return body if 0 < len(body.strip()) <= len(body) <= MAX_TEXT_CHARACTERS else None


def is_sendable(content: Content, category: Category, customer: Customer, business: Business) -> bool:
    """Whether the sender will find something to send to this customer, whose links are not written yet."""
    links = dict.fromkeys(_OF_LINKS, "x" * LONGEST_USUAL)
    return _is_sendable(content, category, language_for(customer, business), {**values_of(customer, business), **links})


def is_always_sendable(content: Content, category: Category) -> bool:
    """Whether there is something to send to everybody, because there is with the shortest and the longest values."""
    return all(
        _is_sendable(content, category, language, dict.fromkeys((*VARIABLES, *_OF_LINKS), value))
        for language in LANGUAGES
        for value in _EXTREMES
    )


def _is_sendable(content: Content, category: Category, language: str, values: Mapping[str, str]) -> bool:
    match content:
        case EmailContent():
            return email_to_send(content, category, language, values) is not None
        case TextContent():
            return text_to_send(content, values) is not None
