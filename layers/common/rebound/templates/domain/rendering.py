"""What a message says to one recipient: its content with the recipient's values, the footer and the parts left out.

Placeholders are mended where an editor mangled them (``placeholders``); what cannot be mended is refused when it is
posted.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.customers.domain import COUNTED_FIELDS, PROFILE, TEXT_FIELDS, Customer, field_text
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.placeholders import PLACEHOLDER
from rebound.templates.domain.content import (
    MAX_TEXT_CHARACTERS,  # noqa: F401 - beside MAX_EMAIL_CHARACTERS
    UNWRITTEN,
    Content,
    EmailContent,
    Said,
    TemplateContent,
    TextContent,
    contents_of,
)
from rebound.templates.domain.footers import (
    ALL_LINKS,
    LINKS,
    LINKS_OF_OTHERS,
    LINKS_OF_TEXTS,
    POSTAL_ADDRESS,
    STOP_URL,
    footer_of,
    links_for,
    scope_of,
)
from rebound.templates.domain.html_as_text import html_as_text
from rebound.templates.domain.html_reading import read_for_footer
from rebound.templates.domain.placeholders import (
    Template,
    header_template,
    html_template,
    repaired,
    slots_of,
    text_as_html_template,
    text_template,
)

if TYPE_CHECKING:
    from rebound.templates.domain.variables import Declared

CUSTOMER_VARIABLES: Final = sorted(
    (name for name, row in PROFILE.items() if row.placeholder and name in TEXT_FIELDS),
    key=lambda name: name == "external_id",
)
"""In the order of the profile, with ``external_id`` last, because few want to show it."""
NONE_DECLARED: Final[Declared] = MappingProxyType({})
VARIABLES: Final = (
    *CUSTOMER_VARIABLES[:-1],
    *COUNTED_FIELDS,
    "external_id",
    "full_name",
    "business_name",
    POSTAL_ADDRESS,
)
_BODIES_OF_EMAILS: Final = ("html", "text")
_BODY_OF_TEXTS: Final = "body"
_LINE_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
MAX_EMAIL_CHARACTERS: Final = 262_144
"""Of an email as SES takes it (``as_data``): the model's limit of ``EmailTemplateData``."""
LONGEST_USUAL: Final = 200
"""Of a value that is filled in, when it is judged whether content will fit: a link of ours, and longer than a name."""


class RenderedEmail(Struct, frozen=True):
    """An email as one recipient gets it; ``subject`` is one line."""

    subject: str
    html: str
    text: str


def variables_of_bodies(category: Category) -> tuple[str, ...]:
    """The variables that the body of an email of a kind may use."""
    return (*VARIABLES, *links_for(category))


def check_content(
    content: Content, category: Category, declared: Declared = NONE_DECLARED, path: str = "content"
) -> None:
    """Refuse placeholders that nobody can fill in a message of this kind, and an email that SES would not take.

    ``declared`` are the variables of the template's own that it belongs to, ``path`` is where it stands in the request.

    :raises InvalidInputError: naming the field and the variable, with the list of known variables.
    """
    known_in = dict.fromkeys(_BODIES_OF_EMAILS, variables_of_bodies(category))
    if scope_of(category) is not None:
        known_in[_BODY_OF_TEXTS] = (*VARIABLES, *LINKS_OF_TEXTS)
    from rebound.templates.domain.placeholder_flaws import flaws_of  # noqa: PLC0415 - not for senders

    errors: list[FieldError] = []
    addresses = addresses_among(declared)
    for name, template in _templates(content, addresses):
        known = tuple(dict.fromkeys((*declared, *known_in.get(name, VARIABLES))))
        flaws = flaws_of(template, known, addresses, is_html=name == "html")
        errors.extend(FieldError(f"{path}.{name}", str(flaw), flaw.did_you_mean) for flaw in flaws)
    if errors:
        raise InvalidInputError(*errors)
    if isinstance(content, EmailContent):
        size = size_of(as_data(render_at_longest(content, category, "de", declared)))
        if size > MAX_EMAIL_CHARACTERS:
            message = f"With its footer and the values of a recipient it has {size} characters; SES takes at most"
            raise InvalidInputError(FieldError(path, f"{message} {MAX_EMAIL_CHARACTERS} in all parts, as JSON."))


def check_said(said: Said, category: Category, business: Business, declared: Declared = NONE_DECLARED) -> None:
    """Refuse what cannot be said in a message of this kind; a template's was checked when it was made from that.

    ``declared`` are variables that such a message has besides, such as a voucher's. Raises ``InvalidInputError``.
    """
    check_given(said, category, declared)
    check_stop_url(said, category, business)


def check_given(said: Said, category: Category, declared: Declared = NONE_DECLARED) -> None:
    """``check_content`` of what was given as it is, and of the email in place of a text. Raises as that does."""
    if said in UNWRITTEN:
        raise InvalidInputError(FieldError("content", "Is required: nothing has been written yet."))
    if isinstance(said, EmailContent | TextContent):
        check_content(said, category, declared)
    if isinstance(said, TextContent) and said.email_content is not None:
        check_content(said.email_content, category, declared, path="email_content")


def lacks_stop_url(said: Said | None, category: Category) -> bool:
    """Whether a text sells and has no link of its recipient's own to stop such texts with."""
    if said is None or scope_of(category) is None:
        return False
    return any(isinstance(each, TextContent) and not uses(each, STOP_URL) for each in contents_of(said))


def check_stop_url(content: Said, category: Category, business: Business) -> None:
    """Refuse a text that sells and could not be stopped. Raises ``InvalidInputError``."""
    if not business.can_be_texted and lacks_stop_url(content, category):
        message = "The business texts from a name, which nobody can answer with STOP: a text that sells must have"
        message += f" ##{{{{{STOP_URL}}}}}, which becomes a link of each recipient's own to stop such texts with."
        if isinstance(content, TemplateContent):
            without = [language for language, each in content.contents.items() if language and not uses(each, STOP_URL)]
            where = f" The template has none in {', '.join(without)}." if without else " The template has none."
            raise InvalidInputError(FieldError("template_id", message + where))
        raise InvalidInputError(FieldError(f"content.{_BODY_OF_TEXTS}", message))


def addresses_among(declared: Declared) -> tuple[str, ...]:
    """The variables whose value is a whole address: our links, and the addresses that a template declares."""
    if not declared:
        return ALL_LINKS
    from rebound.templates.domain.variables import links_of  # noqa: PLC0415 - only for templates with variables

    return (*ALL_LINKS, *links_of(declared))


def _templates(content: Content, addresses: tuple[str, ...] = ALL_LINKS) -> Iterator[tuple[str, str]]:
    """The fields of a content with what they say, placeholders mended."""
    match content:
        case EmailContent():
            for name, value in (("subject", content.subject), ("html", content.html), ("text", content.text)):
                if value is not None:
                    yield name, repaired(value, addresses, is_html=name == "html")
        case TextContent():
            yield _BODY_OF_TEXTS, repaired(content.body, addresses, is_html=False)


def values_of(customer: Customer, business: Business) -> Mapping[str, str]:
    """Every variable's value for one recipient; an empty profile field is the empty text."""
    values = {name: field_text(customer, name) for name in CUSTOMER_VARIABLES}
    values.update({name: field_text(customer, name) for name in COUNTED_FIELDS})
    values["full_name"] = customer.full_name
    values["business_name"] = business.name
    values[POSTAL_ADDRESS] = business.postal_address or ""
    return values


def render_email(
    content: EmailContent,
    category: Category,
    language: str,
    values: Mapping[str, str],
    addresses: tuple[str, ...] = ALL_LINKS,
) -> RenderedEmail:
    """The email for one recipient. ``values`` includes the links (``footers.LINKS``); ``language`` is the footer's.

    ``addresses`` are the variables whose value is a whole address.

    A part that the client left out is made from the other one. A part in which the client has not placed the link where
    it can be seen gets the footer; a promotional one that does not say where the business is, is told.
    """
    parts = _parts(content, category, language, values.get(POSTAL_ADDRESS, ""), addresses)
    return RenderedEmail(
        subject=one_line(parts.subject.fill(values)), html=parts.html.fill(values), text=parts.text.fill(values)
    )


def render_at_longest(
    content: EmailContent, category: Category, language: str, declared: Declared = NONE_DECLARED
) -> RenderedEmail:
    """The email with values as long as they usually are at most."""
    longest = dict.fromkeys((*declared, *VARIABLES, *LINKS, *LINKS_OF_OTHERS), "x" * LONGEST_USUAL)
    return render_email(content, category, language, longest, addresses_among(declared))


def as_data(email: RenderedEmail) -> str:
    """The email as SES takes it: JSON, in which SES counts each escape by its length, so that there are few."""
    return json.dumps({"subject": email.subject, "html": email.html, "text": email.text}, ensure_ascii=False)


def size_of(data: str) -> int:
    """How many characters SES counts: UTF-16 units, so that an emoji is two."""
    return len(data.encode("utf-16-le", "surrogatepass")) // 2


def filled_in(content: Content, values: Mapping[str, str], addresses: tuple[str, ...] = ALL_LINKS) -> Content:
    """The content with these values in the places of their variables; all other placeholders stay.

    These stay as an editor might have left them, to be mended like those. What a value has of a placeholder would be
    one: the content is to be checked again.
    """
    known = {**{name: f"##{{{{{name}}}}}" for name in names_used(content)}, **values}
    given = dict(_templates(content, addresses))

    def filled(name: str, template: Template) -> str:
        return repaired(template.fill(known), addresses, is_html=name == "html")

    if isinstance(content, TextContent):
        return TextContent(filled(_BODY_OF_TEXTS, text_template(given[_BODY_OF_TEXTS], addresses)))
    subject = filled("subject", header_template(given["subject"], one_line))
    made = {"html": html_template, "text": text_template}
    return EmailContent(
        subject, **{name: filled(name, made[name](given[name], addresses)) for name in made if name in given}
    )


class _Parts(Struct, frozen=True):
    """The parts of an email, ready to be filled in."""

    subject: Template
    html: Template
    text: Template


@lru_cache(maxsize=32)
def _parts(
    content: EmailContent, category: Category, language: str, address: str, addresses: tuple[str, ...]
) -> _Parts:
    """The parts with their footers; cached, because a campaign needs the same templates for every recipient."""
    given = dict(_templates(content, addresses))
    as_html, as_text = given.get("html"), given.get("text")
    if as_text is None:
        as_text = html_as_text(as_html or "")
    text_footer = _footer_for(as_text, as_text, category, language, address)
    text_part = as_text.rstrip() + text_footer[1] if text_footer is not None else as_text
    if as_html is None:
        html_footer = _footer_for(as_text, as_text, category, language, address)
        written = text_as_html_template(as_text, addresses, _as_html).parts
        footer = html_template(html_footer[0], ALL_LINKS).parts if html_footer is not None else ()
        html_part = Template(("<p>", *written, "</p>", *footer))
    else:
        reading = read_for_footer(as_html)
        html_footer = _footer_for(reading.links, reading.text, category, language, address)
        if html_footer is not None:
            as_html = as_html[: reading.end] + html_footer[0] + as_html[reading.end :]
        html_part = html_template(as_html, addresses)
    return _Parts(header_template(given["subject"], one_line), html_part, text_template(text_part, addresses))


def _footer_for(links: str, text: str, category: Category, language: str, address: str) -> tuple[str, str] | None:
    """The footer, as HTML and as text, of a part with these visible ``links`` and this visible text.

    ``None`` where the part has all that a footer says.
    """
    wants_links = not _uses(links, footer_of(category, language).stands_for)
    wants_address = (
        scope_of(category) is not None
        and bool(address)
        and not _uses(text, POSTAL_ADDRESS)
        and " ".join(address.split()) not in " ".join(text.split())
    )
    if not (wants_links or wants_address):
        return None
    footer = footer_of(category, language, links=wants_links, address=wants_address)
    return footer.html, footer.text


def warnings_about(business: Business, category: Category, channel: Channel) -> tuple[FieldError, ...]:
    """What a client that sends such messages had better know: each a setting, and what it lacks."""
    if channel is not Channel.EMAIL or scope_of(category) is None or business.postal_address:
        return ()
    message = "Emails that sell must say where the business is (CAN-SPAM): set it in its settings (PATCH /v1/business)."
    return (FieldError(POSTAL_ADDRESS, message),)


@lru_cache(maxsize=16)
def uses(content: Content, variable: str) -> bool:
    """Whether a content has a variable anywhere."""
    return any(_uses(template, variable) for _, template in _templates(content))


def names_used(content: Content) -> frozenset[str]:
    """The names of all variables that a content has, also where an editor has mangled them."""
    return frozenset(name.strip() for _, template in _templates(content) for name in PLACEHOLDER.findall(template))


def addresses_alone(content: Content, addresses: tuple[str, ...]) -> frozenset[str]:
    """Those of the ``addresses`` that are the whole address of a link or an image in HTML, which leads nowhere without.

    They are variables whose value is a whole address.
    """
    if not isinstance(content, EmailContent) or content.html is None:
        return frozenset()
    slots = slots_of(repaired(content.html, addresses, is_html=True), is_html=True)
    return frozenset(slot.name for slot in slots if slot.attribute is not None and slot.is_whole) & {*addresses}


def _uses(template: str, variable: str) -> bool:
    return any(used.strip() == variable for used in PLACEHOLDER.findall(template))


def render_text(
    content: TextContent, values: Mapping[str, str], addresses: tuple[str, ...] = ALL_LINKS, *, smart: bool = False
) -> str:
    """The text message for one recipient; a ``smart`` one as ``simplified``, if that makes it smaller.

    ``addresses`` as in ``render_email``.
    """
    body = _body(content, addresses).fill(values)
    if not smart:
        return body
    from rebound.templates.domain.text_size import simplified  # noqa: PLC0415 - only for who wants it

    return simplified(body)


@lru_cache(maxsize=16)
def _body(content: TextContent, addresses: tuple[str, ...]) -> Template:
    return text_template(repaired(content.body, addresses, is_html=False), addresses)


def one_line(value: str) -> str:
    """The value without anything that ends a header line; such characters become one space."""
    return _LINE_BREAKS.sub(" ", value)


def _as_html(text: str) -> str:
    """Text written as HTML; placeholders stay as they are."""
    return html.escape(text).replace("\n", "<br>\n")
