"""What a template says to one reader, before anybody gets it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import replace
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.customers.domain import Customer, language_for, made_up_customer
from rebound.kernel.channels import Channel
from rebound.kernel.errors import FieldError, InvalidInputError, NotFoundError
from rebound.kernel.placeholders import NOTHING_MORE
from rebound.templates.domain.content import MAX_TEXT_CHARACTERS, EmailContent, MadeFrom, Said, TemplateContent
from rebound.templates.domain.footers import LINKS, LINKS_OF_OTHERS, LINKS_OF_TEXTS
from rebound.templates.domain.rendering import render_email, render_text, values_of
from rebound.templates.domain.sendable import (
    CLIPPED_FROM,
    MANY_BYTES,
    email_to_send,
    for_one,
    missing_for,
    text_to_send,
)
from rebound.templates.domain.template import Template
from rebound.templates.domain.typed_values import is_empty
from rebound.templates.domain.variables import Declared, check_given, examples_of, missing_of

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory
    from rebound.customers.ports import CustomerBook
    from rebound.kernel.categories import Category
    from rebound.platform.ports import Clock
    from rebound.templates.application.make_version import MakeVersion, NewVersion
    from rebound.templates.application.template_service import TemplateService
    from rebound.templates.domain.template import TemplateVersion

_LINKS: Final = {name: f"https://preview.invalid/{name}" for name in (*LINKS, *LINKS_OF_OTHERS, *LINKS_OF_TEXTS)}
"""In place of our links, which belong to a message. Nothing is ever there (RFC 2606, 2)."""


_UNSAVED: Final = "-"
"""The id of what has none yet."""


class Preview(Struct, frozen=True):
    """What one reader would get; a text has no subject and no HTML."""

    text: str
    subject: str | None = None
    html: str | None = None
    warnings: tuple[FieldError, ...] = ()


class WhatToShow(Struct, frozen=True, kw_only=True):
    """Which version is shown, and to whom: a customer, or somebody made up, perhaps as a reader of a language.

    ``customer_field`` is the field by which the client named the customer.
    """

    variables: Mapping[str, Any]
    customer_id: str | None = None
    customer_field: str = "customer_id"
    language: str | None = None
    number: int | None = None
    is_draft: bool = False


def written_out(
    said: Said, category: Category, customer: Customer, business: Business, more: Mapping[str, str] = NOTHING_MORE
) -> Preview:
    """What is said to a customer, as the sender would write it out; ``more`` is known besides, as for ``for_one``.

    Raises ``InvalidInputError`` where a variable that is required says nothing.
    """
    found = for_one(said, customer, business, more)
    if found is None:
        lacking = ", ".join(missing_for(said, customer, business, more)) if isinstance(said, TemplateContent) else ""
        raise InvalidInputError(FieldError("variables", f"Nothing is sent: there is no value for {lacking}."))
    content, language, values = found.content, language_for(customer, business), {**found.values, **_LINKS}
    if isinstance(content, EmailContent):
        email = render_email(content, category, language, values, found.addresses)
        warnings = [*_about_size(email.html)]
        if email_to_send(content, category, language, values, found.addresses) is None:
            message = "Is empty, or the email is larger than SES takes: nobody gets it."
            warnings.insert(0, FieldError("subject", message))
        return Preview(email.text, email.subject, email.html, tuple(warnings))
    smart, warned = business.smart_encoding, tuple[FieldError, ...]()
    if text_to_send(content, values, found.addresses, smart=smart) is None:
        message = f"Is empty, or longer than the {MAX_TEXT_CHARACTERS} characters that providers take: nobody gets it."
        warned = (FieldError("text", message),)
    return Preview(render_text(content, values, found.addresses, smart=smart), warnings=warned)


class PreviewTemplate(Struct, frozen=True, kw_only=True):
    """Shows templates as the sender would write them out. Nothing is sent, and nothing kept."""

    template_service: TemplateService
    make_version: MakeVersion
    businesses: BusinessDirectory
    customers: CustomerBook
    clock: Clock

    def __call__(self, business_id: str, template_id: str, asked: WhatToShow) -> Preview:
        """What the reader gets, with an example where a variable would say nothing.

        Raises ``NotFoundError`` and ``InvalidInputError``.
        """
        view = self.template_service.get(business_id, template_id, number=asked.number, is_draft=asked.is_draft)
        return self._shown(view.version, asked)

    def unsaved(self, business_id: str, new: NewVersion, asked: WhatToShow) -> Preview:
        """The same of what is not saved; the warnings about its layouts stand first. Raises ``InvalidInputError``."""
        made = self.make_version(Template(business_id=business_id, template_id=_UNSAVED), 1, new, self.clock.now())
        shown = self._shown(made.version, asked)
        return replace(shown, warnings=(*made.warnings, *shown.warnings))

    def _shown(self, version: TemplateVersion, asked: WhatToShow) -> Preview:
        business = self.businesses.get(version.business_id)
        declared, customer = version.variables, self._customer(business, version, asked)
        given, known = check_given(declared, asked.variables), values_of(customer, business)
        warnings = [
            FieldError(f"variables.{name}", "Is required, and says nothing here: its example is shown.")
            for name in missing_of(declared, given, known)
        ]
        examples = {name: each for name, each in examples_of(declared).items() if _says_nothing(declared, known, name)}
        said = version.content_for(MadeFrom(version.template_id, version.version, {**examples, **given}))
        shown = written_out(said, version.category, customer, business)
        return replace(shown, warnings=(*warnings, *shown.warnings))

    def _customer(self, business: Business, version: TemplateVersion, asked: WhatToShow) -> Customer:
        if asked.customer_id is None:
            address = "alex@example.com" if version.channel is Channel.EMAIL else "+15005550006"
            customer = made_up_customer(business.business_id, version.channel, address, self.clock.now())
        else:
            try:
                customer = self.customers.get(business.business_id, asked.customer_id)
            except NotFoundError:
                raise InvalidInputError(FieldError(asked.customer_field, "There is no such customer.")) from None
        return customer if asked.language is None else replace(customer, language=asked.language)


def _says_nothing(declared: Declared, known: Mapping[str, str], name: str) -> bool:
    """Whether neither the customer, nor the business, nor a default says anything for a variable."""
    return is_empty(known.get(name)) and is_empty(declared[name].default)


def _about_size(html: str) -> Iterator[FieldError]:
    size = len(html.encode())
    if size > MANY_BYTES:
        message = f"Has {size} bytes; from {CLIPPED_FROM} on Gmail clips an email, and its footer with it."
        yield FieldError("html", message)
