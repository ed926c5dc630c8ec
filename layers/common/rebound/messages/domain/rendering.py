"""Putting a customer's values into a message.

A placeholder is ``##{{first_name}}``. A value goes in as text: it is never read as a template itself, it is escaped
where HTML wants it, and it cannot break out of a header line. Anything that merely looks like another template
language's placeholder stays as the client wrote it.
"""

import html
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.customers.domain import PROFILE, TEXT_FIELDS, Customer, field_text
from rebound.kernel.categories import Category
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.messages.domain.footers import LINKS, LINKS_OF_OTHERS, footer_of, scope_of
from rebound.messages.domain.mailing import Content, EmailContent, TextContent

PLACEHOLDER: Final = re.compile(r"##\{\{([^{}]{0,64})\}\}")
OPENING: Final = "##{{"
CUSTOMER_VARIABLES: Final = sorted(
    (name for name, row in PROFILE.items() if row.placeholder and name in TEXT_FIELDS),
    key=lambda name: name == "external_id",
)
"""In the order of the profile, with ``external_id`` last, because few want to show it."""
VARIABLES: Final = (*CUSTOMER_VARIABLES, "full_name", "business_name")
_BODIES_OF_EMAILS: Final = ("html", "text")
_LINE_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
_ENDS: Final = tuple(re.compile(rf"</{tag}\s*>", re.IGNORECASE) for tag in ("body", "html"))
"""The closing tags that a footer is put before: the first kind that the email has."""
_BLANK_LINES: Final = re.compile(r"\n{3,}")
_TAG: Final = re.compile(r"<(?P<end>/?)(?P<name>[a-zA-Z!?][a-zA-Z0-9-]{0,20})[^<>]*>")
"""Matches in one pass over any input; the standard library's parser does not do that for malformed HTML."""
_UNREAD: Final = frozenset({"style", "script", "title"})
_BLOCKS: Final = frozenset(
    {"p", "div", "br", "hr", "tr", "table", "ul", "ol", "li", "blockquote", "section", *(f"h{n}" for n in range(1, 7))}
)
MAX_EMAIL_CHARACTERS: Final = 262_144
"""Of an email as SES takes it (``as_data``): the model's limit of ``EmailTemplateData``."""
LONGEST_USUAL: Final = 200
"""Of a value that is filled in, when it is judged whether content will fit: a link of ours, and longer than a name."""
MAX_NAMED: Final = 10
"""Unknown variables that are named in one answer."""
MAX_TEXT_CHARACTERS: Final = 1600
"""Twilio and SNS take no longer body."""


class RenderedEmail(Struct, frozen=True):
    """An email as one recipient gets it; ``subject`` is one line."""

    subject: str
    html: str
    text: str


def check_content(content: Content, category: Category) -> None:
    """Refuse placeholders that nobody can fill in a message of this kind, and an email that SES would not take.

    :raises InvalidInputError: naming the field and the variable, with the list of known variables.
    """
    links = LINKS if scope_of(category) is not None else LINKS_OF_OTHERS
    errors: list[FieldError] = []
    for name, template in _templates(content):
        known = (*VARIABLES, *links) if name in _BODIES_OF_EMAILS else VARIABLES
        used = PLACEHOLDER.findall(template)
        unknown = dict.fromkeys(variable for variable in used if variable.strip() not in known)
        errors.extend(
            FieldError(f"content.{name}", f"Unknown variable ##{{{{{variable}}}}}; known are {', '.join(known)}.")
            for variable in list(unknown)[:MAX_NAMED]
        )
        if template.count(OPENING) != len(used):
            errors.append(FieldError(f"content.{name}", "Has a placeholder that is not closed: ##{{ without }}."))
    if errors:
        raise InvalidInputError(*errors)
    if isinstance(content, EmailContent):
        usual = dict.fromkeys((*VARIABLES, *LINKS, *LINKS_OF_OTHERS), "x" * LONGEST_USUAL)
        size = size_of(as_data(render_email(content, category, "de", usual)))
        if size > MAX_EMAIL_CHARACTERS:
            message = f"With its footer and the values of a recipient it has {size} characters; SES takes at most"
            raise InvalidInputError(FieldError("content", f"{message} {MAX_EMAIL_CHARACTERS} in all parts, as JSON."))


def _templates(content: Content) -> Iterator[tuple[str, str]]:
    match content:
        case EmailContent():
            yield from (
                (name, value)
                for name, value in (("subject", content.subject), ("html", content.html), ("text", content.text))
                if value is not None
            )
        case TextContent():
            yield "body", content.body


def values_of(customer: Customer, business: Business) -> Mapping[str, str]:
    """Every variable's value for one recipient; an empty profile field is the empty text."""
    values = {name: field_text(customer, name) for name in CUSTOMER_VARIABLES}
    values["full_name"] = customer.full_name
    values["business_name"] = business.name
    return values


def render_email(content: EmailContent, category: Category, language: str, values: Mapping[str, str]) -> RenderedEmail:
    """The email for one recipient. ``values`` includes the links (``footers.LINKS``); ``language`` is the footer's.

    A part that the client left out is made from the other one. A part in which the client has not placed the link gets
    the footer.
    """
    html_part, text_part = _parts(content, category, language)
    return RenderedEmail(
        subject=one_line(_fill(content.subject, values, one_line)),
        html=_fill(html_part, values, html.escape if content.html is not None else _as_html),
        text=_fill(text_part, values, str),
    )


def as_data(email: RenderedEmail) -> str:
    """The email as SES takes it: JSON, in which SES counts each escape by its length, so that there are few."""
    return json.dumps({"subject": email.subject, "html": email.html, "text": email.text}, ensure_ascii=False)


def size_of(data: str) -> int:
    """How many characters SES counts: UTF-16 units, so that an emoji is two."""
    return len(data.encode("utf-16-le", "surrogatepass")) // 2


@lru_cache(maxsize=32)
def _parts(content: EmailContent, category: Category, language: str) -> tuple[str, str]:
    """Both parts as templates; cached, because a campaign needs the same templates for every recipient."""
    footer = footer_of(category, language)
    html_part = content.html if content.html is not None else f"<p>{_as_html(content.text or '')}</p>"
    text_part = content.text if content.text is not None else html_as_text(content.html or "")
    if not _uses(html_part, footer.stands_for):
        end = _end_of(html_part)
        html_part = html_part[:end] + footer.html + html_part[end:]
    if not _uses(text_part, footer.stands_for):
        text_part = text_part.rstrip() + footer.text
    return html_part, text_part


def _end_of(source: str) -> int:
    for tag in _ENDS:
        places = [found.start() for found in tag.finditer(source)]
        if places:
            return places[-1]
    return len(source)


@lru_cache(maxsize=16)
def uses(content: EmailContent, variable: str) -> bool:
    """Whether an email has a variable anywhere."""
    return any(_uses(template, variable) for _, template in _templates(content))


def _uses(template: str, variable: str) -> bool:
    return any(used.strip() == variable for used in PLACEHOLDER.findall(template))


def html_as_text(source: str) -> str:
    """What a reader without HTML sees: no styles and scripts, a line for each block, placeholders as they were."""
    parts: list[str] = []
    unread: str | None = None
    end = 0
    for tag in _TAG.finditer(source):
        name = tag["name"].lower()
        if unread is None:
            # Line breaks of the source mean nothing in HTML.
            parts.append(source[end : tag.start()].replace("\n", " "))
            parts.append("\n" if name in _BLOCKS else "")
            unread = name if name in _UNREAD and not tag["end"] else None
        elif name == unread and tag["end"]:
            unread = None
        end = tag.end()
    if unread is None:
        parts.append(source[end:].replace("\n", " "))
    lines = (" ".join(line.split()) for line in html.unescape("".join(parts)).split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def render_text(content: TextContent, values: Mapping[str, str]) -> str:
    """The text message for one recipient."""
    return _fill(content.body, values, str)


def one_line(value: str) -> str:
    """The value without anything that ends a header line; such characters become one space."""
    return _LINE_BREAKS.sub(" ", value)


def _fill(template: str, values: Mapping[str, str], escape: Callable[[str], str]) -> str:
    return PLACEHOLDER.sub(lambda match: escape(values[match.group(1).strip()]), template)


def _as_html(text: str) -> str:
    """Text written as HTML; placeholders stay as they are."""
    return html.escape(text).replace("\n", "<br>\n")
