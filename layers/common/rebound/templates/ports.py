"""What the use cases of templates need from outside."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from rebound.customers.ports import CustomersPorts
from rebound.templates.domain.template import Template, TemplateVersion


class MjmlRenderer(Protocol):
    """Makes HTML of MJML."""

    def html_of(self, mjml: str) -> str:
        """The HTML of an email."""
        ...


class HtmlCleaner(Protocol):
    """Takes out of HTML what could do harm."""

    def clean(self, markup: str) -> str:
        """The rest: every element closed, without scripts, forms, style sheets, comments and what is loaded or run.

        Text and placeholders stay, in text and in the attributes that are kept.
        """
        ...


class TemplateBook(Protocol):
    """The templates that businesses have saved, with all their versions."""

    def get(self, business_id: str, template_id: str) -> Template:
        """Which versions there are, read strongly consistent; a template of none when nothing is kept."""
        ...

    def page(self, business_id: str, after: str, limit: int) -> Sequence[Template]:
        """Up to so many of a business's templates with ids after that one, sorted by id; those deleted as well."""
        ...

    def version(self, business_id: str, template_id: str, version: int) -> TemplateVersion:
        """One version that was published. A process keeps it, because it never changes. Raises ``NotFoundError``."""
        ...

    def versions(self, business_id: str, numbers: Mapping[str, int]) -> Mapping[str, TemplateVersion]:
        """One version of each of some templates, both by id, as of now; drafts as well."""
        ...

    def save(self, before: Template, after: Template, new: TemplateVersion | None = None) -> Template:
        """Write which versions there are, and a ``new`` one with it, all or nothing; the template as stored now.

        A draft of ``before`` that ``after`` has not is forgotten. Raises ``ConcurrentChangeError`` when somebody has
        written since ``before`` was read.
        """
        ...


class TemplatesPorts(CustomersPorts, Protocol):
    """What the use cases of templates need from outside."""

    @property
    def mjml_renderer(self) -> MjmlRenderer: ...

    @property
    def html_cleaner(self) -> HtmlCleaner: ...

    @property
    def templates(self) -> TemplateBook: ...
