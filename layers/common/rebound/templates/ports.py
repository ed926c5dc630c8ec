"""What the use cases of templates need from outside."""

from typing import Protocol

from rebound.customers.ports import CustomersPorts


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


class TemplatesPorts(CustomersPorts, Protocol):
    """What the use cases of templates need from outside."""

    @property
    def mjml_renderer(self) -> MjmlRenderer: ...

    @property
    def html_cleaner(self) -> HtmlCleaner: ...
