"""What a message says before it is rendered for a recipient: written for it, or by a template in several languages."""

from __future__ import annotations

from collections.abc import Mapping
from copy import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import asdict

from rebound.kernel.languages import LAST_RESORT

if TYPE_CHECKING:
    from rebound.templates.domain.variables import Variable

MAX_TEXT_CHARACTERS: Final = 1600
"""Twilio and SNS take no longer body."""
ANY_LANGUAGE: Final = ""
"""Stands for the language of what everybody gets."""


class EmailContent(Struct, frozen=True):
    """An email with ``##{{field}}`` placeholders; at least one of ``html`` and ``text`` is there."""

    subject: str
    html: str | None = None
    text: str | None = None


class TextContent(Struct, frozen=True):
    """A text message with ``##{{field}}`` placeholders.

    ``email_content`` goes by email to whom it cannot go as a text; ``None`` for the text itself (``text_as_email``).
    """

    body: str
    email_content: EmailContent | None = None


Content = EmailContent | TextContent
UNWRITTEN: Final = (EmailContent("", None, ""), TextContent(""))
"""What a draft says of which nobody has written anything yet."""


class MadeFrom(Struct, frozen=True):
    """Which template a message or campaign is made from, and the variables that it was given, as JSON has them.

    Without a ``version`` it will be the one that is published when a draft is announced.
    """

    template_id: str
    version: int | None = None
    variables: Mapping[str, Any] = MappingProxyType({})


class TemplateContent(Struct, frozen=True):
    """What a template says, for one message or campaign that is made from it.

    Rows keep only what it is made from; ``contents`` (by language), ``declared`` and ``email_content`` are those of the
    version, and empty until that has been read. ``mark`` is put before what it says, because it is only a test.
    """

    made_from: MadeFrom
    contents: Mapping[str, Content] = MappingProxyType({})
    declared: Mapping[str, Variable] = MappingProxyType({})
    email_content: EmailContent | None = None
    mark: str = ""

    @property
    def unpinned(self) -> TemplateContent:
        """The same for a draft, which takes the version that is published when it is announced."""
        return TemplateContent(MadeFrom(self.made_from.template_id, None, self.made_from.variables))

    @property
    def forgotten(self) -> TemplateContent:
        """What may be kept of it when the customer is deleted: nothing that was said of them."""
        return TemplateContent(replace(self.made_from, variables={}))

    def in_language(self, *languages: str) -> Content:
        """What it says to who would like the first of the languages best; something in every case."""
        content = self.contents[self.language_for(*languages)]
        return marked(content, self.mark) if self.mark else content

    def language_for(self, *languages: str) -> str:
        """The language of that; ``ANY_LANGUAGE`` where everybody gets the same."""
        for language in (ANY_LANGUAGE, *languages, LAST_RESORT, *self.contents):
            if language in self.contents:
                return language
        raise LookupError(f"version {self.made_from.version} of a template has not been read")


Said = Content | TemplateContent
"""What a message or campaign says."""


def in_language(said: Said, *languages: str) -> Content:
    """What is said to who would like the first of the languages best."""
    return said.in_language(*languages) if isinstance(said, TemplateContent) else said


def contents_of(said: Said) -> tuple[Content, ...]:
    """Everything that may be said to somebody."""
    return tuple(said.contents.values()) if isinstance(said, TemplateContent) else (said,)


def marked(content: Content, mark: str) -> Content:
    """The content with a mark before it; a text that has no room for that stays as it is."""
    if isinstance(content, EmailContent):
        return replace(content, subject=f"{mark}{content.subject}")
    return TextContent(f"{mark}{content.body}") if len(mark) + len(content.body) <= MAX_TEXT_CHARACTERS else content


def written_said(content: Said) -> dict[str, Any]:
    """What is said as JSON, in the form in which rows keep it; of a template's, only what it is made from."""
    if isinstance(content, TemplateContent):
        made_from = content.made_from
        written = {"template_id": made_from.template_id, "version": made_from.version}
        mark = {"mark": content.mark} if content.mark else {}
        return {**written, "variables": dict(made_from.variables), **mark}
    return written_content(content)


def read_said(document: Mapping[str, Any]) -> Said:
    """What a row keeps of it."""
    if "template_id" in document:
        made_from = MadeFrom(document["template_id"], document["version"], document["variables"])
        return TemplateContent(made_from, mark=document.get("mark", ""))
    return read_content(document)


def written_content(content: Content) -> dict[str, Any]:
    """The content as JSON, in the form in which rows keep it."""
    written = asdict(content)
    if isinstance(content, TextContent):
        given = written.pop("email_content")
        return written if given is None else {**written, "email_content": asdict(given)}
    return written


def read_content(document: Mapping[str, Any]) -> Content:
    """The content that a row keeps."""
    if "body" not in document:
        return EmailContent(**document)
    given = document.get("email_content")
    return TextContent(document["body"], None if given is None else EmailContent(**given))
