"""How much of an email's HTML there is room for: Gmail clips what is longer, and the footer with it."""

from collections.abc import Iterator
from typing import Final

from rebound.kernel.categories import Category
from rebound.kernel.errors import FieldError
from rebound.kernel.languages import LANGUAGES
from rebound.templates.domain.content import EmailContent, Said
from rebound.templates.domain.footers import footer_of
from rebound.templates.domain.rendering import NONE_DECLARED, render_at_longest
from rebound.templates.domain.variables import Declared

CLIPPED_FROM: Final = 102_000
"""Bytes of HTML of which Gmail shows no more, nor the footer below."""
MANY_BYTES: Final = 80_000
"""From here on there is a warning."""
_FEW_BYTES: Final = MANY_BYTES // 4
"""Of HTML that values and the footer do not make so large."""


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
