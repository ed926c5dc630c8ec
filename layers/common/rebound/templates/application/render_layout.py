"""Rendering a layout: once, to HTML and text with placeholders, which are filled in for each recipient like any."""

from __future__ import annotations

from collections import Counter
from copy import replace
from typing import TYPE_CHECKING, Final

from msgspec import Struct, to_builtins

from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.templates.domain.content import EmailContent
from rebound.templates.domain.html_as_text import html_as_text
from rebound.templates.domain.html_reading import Kind, pieces, value_of
from rebound.templates.domain.layout import Html, Image, Layout, placed, with_clean_html
from rebound.templates.domain.layout_as_mjml import draft_of
from rebound.templates.domain.layout_as_text import layout_as_text
from rebound.templates.domain.layout_colours import hard_to_read
from rebound.templates.domain.layout_reading import read_layout
from rebound.templates.domain.rendering import (
    NONE_DECLARED,
    VARIABLES,
    addresses_among,
    variables_of_bodies,
)
from rebound.templates.domain.sendable import MANY_BYTES, largest_html, said_of_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rebound.businesses.domain.business import Business
    from rebound.businesses.domain.layout_style import Style
    from rebound.businesses.ports import BusinessDirectory
    from rebound.kernel.categories import Category
    from rebound.templates.domain.variables import Declared
    from rebound.templates.ports import HtmlCleaner, MjmlRenderer

MOST_BYTES: Final = 100_000


class RenderedLayout(Struct, frozen=True):
    """A layout as HTML and text, with placeholders and without a footer.

    ``size`` is in bytes of the HTML in UTF-8, with the longest footer and the longest values.
    """

    subject: str | None
    html: str
    text: str
    size: int
    warnings: tuple[FieldError, ...]


class RenderLayout(Struct, frozen=True, kw_only=True):
    """Renders layouts."""

    mjml_renderer: MjmlRenderer
    html_cleaner: HtmlCleaner
    businesses: BusinessDirectory

    def __call__(
        self,
        business_id: str,
        given: object,
        category: Category,
        path: str = "",
        declared: Declared = NONE_DECLARED,
        language: str | None = None,
        business: Business | None = None,
    ) -> RenderedLayout:
        """Render a layout for emails of a kind, as a client wrote it at ``path`` of the request.

        It may use the variables that are ``declared`` besides those of everybody. One that does not say its language
        is in that which is given, or else the business's; each option of its style that it does not say is the
        business's, which is read where it is not given. Raises ``InvalidInputError``.
        """
        business = business or self.businesses.get(business_id)
        known, of_subjects = (*declared, *variables_of_bodies(category)), (*declared, *VARIABLES)
        styled = _in_style(given, business.layout_style)
        written = read_layout(styled, known, of_subjects, path, addresses_among(declared))
        layout = with_clean_html(written, self.html_cleaner.clean)
        draft = draft_of(layout, layout.language or language or business.language)
        html, text = draft.finished(self.mjml_renderer.html_of(draft.mjml)), layout_as_text(layout)
        blocks = f"{path}.blocks" if path else "blocks"
        if (plain := len(html.encode())) > MOST_BYTES:
            # What is too large by itself is not read any further: that takes long.
            raise InvalidInputError(FieldError(blocks, f"{said_of_size(plain, 'Without its footer')} {_ALLOWED}"))
        size = largest_html(EmailContent("-", html, text), category, declared)
        if size > MOST_BYTES:
            raise InvalidInputError(FieldError(blocks, f"{said_of_size(size)} {_ALLOWED}"))
        warnings = [*hard_to_read(layout), *_taken_out(written, layout), *_plain_http(layout)]
        if path:
            warnings = [replace(each, field=f"{path}.{each.field}") for each in warnings]
        if size > MANY_BYTES:
            warnings.append(FieldError(blocks, said_of_size(size)))
        return RenderedLayout(layout.subject, html, text, size, tuple(warnings))

    def as_content(
        self, business_id: str, given: object, category: Category, path: str, declared: Declared = NONE_DECLARED
    ) -> tuple[EmailContent, tuple[FieldError, ...]]:
        """What a layout that is sent says, and its warnings; it has a subject. Raises ``InvalidInputError``."""
        rendered = self(business_id, given, category, path, declared)
        return content_of(rendered, path), rendered.warnings


def content_of(rendered: RenderedLayout, path: str) -> EmailContent:
    """The content that a layout has become. Raises ``InvalidInputError`` for one without a subject."""
    if rendered.subject is None:
        raise InvalidInputError(FieldError(f"{path}.subject", "Is required in a layout that is sent."))
    return EmailContent(rendered.subject, rendered.html, rendered.text)


def _in_style(given: object, style: Style) -> object:
    """The layout with the options of a business's style that it does not say itself."""
    usual = to_builtins(style)
    if not usual or not isinstance(given, dict) or not isinstance(own := given.get("style", {}), dict):
        return given
    return {**given, "style": {**usual, **own}}


_ALLOWED: Final = f"At most {MOST_BYTES} are allowed."


def _taken_out(before: Layout, after: Layout) -> Iterator[FieldError]:
    """A warning for each block of HTML that lost something."""
    for was, now in zip(placed(before), placed(after), strict=True):
        if not (isinstance(was.block, Html) and isinstance(now.block, Html)):
            continue
        lost = list(_named(was.block.html) - _named(now.block.html))
        if lost:
            yield FieldError(f"{was.path}.html", f"Not kept, because an email must not have it: {', '.join(lost)}.")
        if not html_as_text(now.block.html).strip():
            yield FieldError(f"{was.path}.html", "Nothing that can be read is left of it.")


def _named(markup: str) -> Counter[str]:
    """The elements, and their attributes, of some HTML by name."""
    starts = [piece for piece in pieces(markup) if piece.kind is Kind.START]
    return Counter(
        name
        for piece in starts
        for name in (f"<{piece.name}>", *(f"{each.name} of <{piece.name}>" for each in piece.attributes))
    ) + Counter(
        f"{name.strip().lower()} in a style"
        for piece in starts
        for name, colon, _ in (each.partition(":") for each in (value_of(markup, piece, "style") or "").split(";"))
        if colon
    )


def _plain_http(layout: Layout) -> Iterator[FieldError]:
    for at in placed(layout):
        if isinstance(at.block, Image) and at.block.source.lower().startswith("http://"):
            message = "Many mail programs show images from https:// alone."
            yield FieldError(f"{at.path}.source", message)
