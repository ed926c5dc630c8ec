"""Whether a message can be sent as it would read for one recipient: previews and senders ask the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import replace
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.customers.domain import Customer, language_for
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import FieldError
from rebound.kernel.languages import LANGUAGES
from rebound.kernel.placeholders import NOTHING_MORE, VOUCHER_VARIABLES
from rebound.templates.domain.content import (
    MAX_TEXT_CHARACTERS,
    Content,
    EmailContent,
    Said,
    TemplateContent,
    TextContent,
    contents_of,
)
from rebound.templates.domain.footers import ALL_LINKS, LINKS, LINKS_OF_OTHERS, LINKS_OF_TEXTS, footer_of
from rebound.templates.domain.rendering import (
    LONGEST_USUAL,
    MAX_EMAIL_CHARACTERS,
    NONE_DECLARED,
    VARIABLES,
    RenderedEmail,
    addresses_among,
    as_data,
    render_at_longest,
    render_email,
    render_text,
    size_of,
    values_of,
)

if TYPE_CHECKING:
    from rebound.templates.domain.variables import Declared

CLIPPED_FROM: Final = 102_000
"""Bytes of HTML of which Gmail shows no more, nor the footer below."""
MANY_BYTES: Final = 80_000
"""From here on there is a warning."""
_FEW_BYTES: Final = MANY_BYTES // 4
"""Of HTML that values and the footer do not make so large."""
MAX_SUBJECT: Final = 998
"""RFC 5322 §2.1.1: the longest line."""
_MOST_UNITS: Final = 6
"""Of one character in what SES counts: JSON's longest escape."""
_LONGEST_VALUE: Final = 254
"""Of a customer's value: that of an email address."""
_EXTREMES: Final = ("", '"' * _LONGEST_VALUE, "\N{GRINNING FACE}" * _LONGEST_VALUE)
"""The shortest value, and those that become longest where HTML, JSON or a link wants them escaped."""
USUAL_LINK: Final = 80
"""Characters of a short link to our own address as API Gateway gives it."""
_OF_LINKS: Final = (*LINKS, *LINKS_OF_OTHERS, *LINKS_OF_TEXTS)


class ForOne(Struct, frozen=True):
    """What is said to one recipient: the content, and the value of each variable but our links.

    ``addresses`` are the variables whose value is a whole address.
    """

    content: Content
    values: Mapping[str, str]
    addresses: tuple[str, ...] = ALL_LINKS


def for_one(
    said: Said, customer: Customer, business: Business, more: Mapping[str, str] = NOTHING_MORE
) -> ForOne | None:
    """What is said to a customer, in their language; ``None`` where a variable that is required says nothing.

    ``more`` are values that are known besides, such as a voucher's: they stand whatever else is given for them.
    """
    known = {**values_of(customer, business), **more} if more else values_of(customer, business)
    if not isinstance(said, TemplateContent):
        return ForOne(said, known)
    languages = language_for(customer, business), business.language
    content = said.in_language(*languages)
    if not said.declared:
        return ForOne(content, known)
    # Only templates have variables of their own.
    from rebound.templates.domain.typed_values import reader_of  # noqa: PLC0415
    from rebound.templates.domain.variables import filled  # noqa: PLC0415

    channel = Channel.EMAIL if isinstance(content, EmailContent) else Channel.SMS
    reader = reader_of(customer, business, channel)
    # What is written within a sentence is written in its language.
    reader = replace(reader, language=said.language_for(*languages) or reader.language)
    declared = {name: each for name, each in said.declared.items() if name not in more} if more else said.declared
    own = filled(declared, said.made_from.variables, known, reader)
    if own.missing:
        return None
    return ForOne(content, {**known, **own.values}, addresses_among(said.declared))


def email_to_send(
    content: EmailContent,
    category: Category,
    language: str,
    values: Mapping[str, str],
    addresses: tuple[str, ...] = ALL_LINKS,
) -> RenderedEmail | None:
    """The email for one recipient (``render_email``); ``None`` without a subject, or if it is more than SES takes."""
    email = render_email(content, category, language, values, addresses)
    if not email.subject.strip() or len(email.subject) > MAX_SUBJECT:
        return None
    # Written out and counted only where it may matter: few emails come near the limit.
    characters = len(email.subject) + len(email.html) + len(email.text)
    if characters * _MOST_UNITS > MAX_EMAIL_CHARACTERS and size_of(as_data(email)) > MAX_EMAIL_CHARACTERS:
        return None
    return email


def text_to_send(
    content: TextContent, values: Mapping[str, str], addresses: tuple[str, ...] = ALL_LINKS, *, smart: bool = False
) -> str | None:
    """The text for one recipient (``render_text``); ``None`` if it is empty, or longer than providers take."""
    body = render_text(content, values, addresses, smart=smart)
    return body if 0 < len(body.strip()) <= len(body) <= MAX_TEXT_CHARACTERS else None


def missing_for(
    said: TemplateContent, customer: Customer, business: Business, more: Mapping[str, str] = NOTHING_MORE
) -> tuple[str, ...]:
    """The variables that are required and say nothing for a customer."""
    from rebound.templates.domain.variables import missing_of  # noqa: PLC0415 - only templates have variables

    return missing_of(said.declared, said.made_from.variables, {**values_of(customer, business), **more})


def is_sendable(
    said: Said, category: Category, customer: Customer, business: Business, more: Mapping[str, str] = NOTHING_MORE
) -> bool:
    """Whether the sender will find something to send to this customer, whose links are not written yet."""
    found = for_one(said, customer, business, more)
    if found is None:
        return False
    values = {**found.values, **dict.fromkeys(_OF_LINKS, "x" * LONGEST_USUAL)}
    found = replace(found, values=values)
    return _is_sendable(found, category, language_for(customer, business), smart=business.smart_encoding)


def segments_for(said: Said, customer: Customer, business: Business, more: Mapping[str, str] = NOTHING_MORE) -> int:
    """How many segments the text has that this customer would be sent; 0 where there is none to be sent.

    Our links, which are not written yet, are as long as usual.
    """
    found = for_one(said, customer, business, more)
    if found is None or not isinstance(found.content, TextContent):
        return 0
    values = {**found.values, **dict.fromkeys(_OF_LINKS, "x" * USUAL_LINK)}
    body = text_to_send(found.content, values, found.addresses, smart=business.smart_encoding)
    from rebound.templates.domain.text_size import size_of_text  # noqa: PLC0415 - only where there is a text plan

    return 0 if body is None else size_of_text(body).segments


def is_always_sendable(said: Said, category: Category) -> bool:
    """Whether there is something to send to everybody, because there is with the shortest and the longest values.

    Of a template only where it declares no variables: their values may be of any length, and may be missing.
    """
    if isinstance(said, TemplateContent) and said.declared:
        return False
    return all(
        _is_sendable(
            ForOne(content, dict.fromkeys((*VARIABLES, *_OF_LINKS, *VOUCHER_VARIABLES), value)), category, language
        )
        for content in contents_of(said)
        for language in LANGUAGES
        for value in _EXTREMES
    )


def _is_sendable(found: ForOne, category: Category, language: str, *, smart: bool = False) -> bool:
    match found.content:
        case EmailContent():
            return email_to_send(found.content, category, language, found.values, found.addresses) is not None
        case TextContent():
            return text_to_send(found.content, found.values, found.addresses, smart=smart) is not None


def largest_html(content: EmailContent, category: Category, declared: Declared) -> int:
    """Bytes of the HTML with the longest values and the longest of the footers."""

    def footer(language: str) -> int:
        return len(footer_of(category, language, links=True, address=True).html.encode())

    return len(render_at_longest(content, category, max(LANGUAGES, key=footer), declared).html.encode())


def said_of_size(size: int, how: str = "With its footer and the longest values") -> str:
    """What is said of a size in bytes, as a sentence for people."""
    return f"{how} the HTML has {size} bytes; from {CLIPPED_FROM} on Gmail clips an email, and its footer with it."


def about_size(
    said: Said | None, category: Category, path: str = "content", declared: Declared = NONE_DECLARED
) -> Iterator[FieldError]:
    """A warning for a client's own HTML, of content that has been checked, which Gmail may clip."""
    if not isinstance(said, EmailContent) or said.html is None or len(said.html.encode()) < _FEW_BYTES:
        return
    size = largest_html(said, category, declared)
    if size > MANY_BYTES:
        yield FieldError(f"{path}.html", said_of_size(size))
