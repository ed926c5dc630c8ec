"""A template: what messages about an event, or about anything, are made from, version by version."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct

from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.templates.domain.content import ANY_LANGUAGE, Content, EmailContent, MadeFrom, TemplateContent
from rebound.templates.domain.variables import Variable

TEMPLATE_ID: Final = re.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")
"""A dot is not first: it has to stand in an address."""


class Summary(Struct, frozen=True):
    """What a list says of a template; no language where everybody gets the same, no time for a default."""

    name: str
    channel: Channel
    category: Category
    languages: tuple[str, ...]
    saved_at: datetime | None = None
    event: str | None = None


class TemplateVersion(Struct, frozen=True, kw_only=True):
    """One version of a template, which never changes: a message is made from it for as long as it waits.

    ``contents`` are by language; under ``ANY_LANGUAGE`` stands what everybody gets. Where they were rendered from
    layouts, ``layouts`` has these under the same name, as the client wrote them. ``email_content`` is what goes by
    email where a text cannot go. ``variables`` are all that a message may be given: those of the event, and
    ``own_variables``, which it declares itself. ``version`` counts all that was saved under its id, drafts included.
    """

    business_id: str
    template_id: str
    version: int
    name: str
    channel: Channel
    category: Category
    event: str | None = None
    variables: Mapping[str, Variable] = MappingProxyType({})
    own_variables: tuple[str, ...] = ()
    contents: Mapping[str, Content]
    layouts: Mapping[str, Any] = MappingProxyType({})
    email_content: EmailContent | None = None
    saved_at: datetime

    @property
    def about(self) -> Summary:
        """What a list says of it."""
        languages = tuple(language for language in self.contents if language != ANY_LANGUAGE)
        return Summary(self.name, self.channel, self.category, languages, self.saved_at, self.event)

    def content_for(self, made_from: MadeFrom, mark: str = "") -> TemplateContent:
        """What it says for a message or campaign that is made from it."""
        return TemplateContent(made_from, self.contents, self.variables, self.email_content, mark)


class Template(Struct, frozen=True, kw_only=True):
    """Which versions a template has: the ``published`` one, and the ``draft`` beside it; 0 for none.

    ``latest`` is the number that was given last, also to what is forgotten since, so that none ever means two of them.
    ``about`` is what the published one is, or else the draft. ``default_digest`` is that of the default template that
    the published one is. ``row_version`` counts the writes of the stored row.
    """

    business_id: str
    template_id: str
    published: int = 0
    draft: int = 0
    latest: int = 0
    about: Summary | None = None
    default_digest: str | None = None
    row_version: int = 0

    @property
    def exists(self) -> bool:
        """Whether the business has it; of one that is deleted, the row keeps the count."""
        return bool(self.published or self.draft)

    @property
    def tag(self) -> str:
        """What stands for its state: another after each change."""
        return str(self.row_version)

    def with_published(self, saved: TemplateVersion, default_digest: str | None = None) -> Template:
        """After one more version, from which messages are made now. A draft stays."""
        number = saved.version
        return replace(self, published=number, latest=number, about=saved.about, default_digest=default_digest)

    def with_draft(self, saved: TemplateVersion | None) -> Template:
        """With another draft, or with none."""
        draft = 0 if saved is None else saved.version
        about = self.about if saved is None or self.published else saved.about
        return replace(self, draft=draft, latest=max(self.latest, draft), about=about)

    def deleted(self) -> Template:
        """Without a version that messages could be made from."""
        return replace(self, published=0, draft=0, about=None, default_digest=None)
