"""Saving templates, drafts beside what is published, and finding them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import replace
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, json

from rebound.kernel.errors import ChangedMeanwhileError, FieldError, InvalidInputError, NotFoundError
from rebound.kernel.pages import Page, read_cursor, write_cursor
from rebound.kernel.retrying import retried
from rebound.templates.application.render_layout import content_of
from rebound.templates.domain.content import ANY_LANGUAGE, Content, EmailContent, written_content
from rebound.templates.domain.html_as_text import html_as_text
from rebound.templates.domain.rendering import check_content
from rebound.templates.domain.template import TEMPLATE_ID, Summary, Template, TemplateVersion
from rebound.templates.domain.variables import Declared, check_declared

if TYPE_CHECKING:
    from rebound.kernel.categories import Category
    from rebound.kernel.channels import Channel
    from rebound.platform.ports import Clock
    from rebound.templates.application.render_layout import RenderLayout
    from rebound.templates.ports import TemplateBook

MOST_BYTES: Final = 350_000
"""Of all that a version says, as JSON in UTF-8: a row of the table holds 400 KB."""
MOST_LOOKED_AT: Final = 500
"""Templates that are looked at for one page of those that match."""
LOOKED_AT: Final = 25
"""At once: a search reads what they say."""


class FromLayout(Struct, frozen=True):
    """Content that is to be rendered from a layout, as the client wrote it."""

    layout: Mapping[str, Any]


class NewVersion(Struct, frozen=True, kw_only=True):
    """What a template is to say, by language; ``ANY_LANGUAGE`` where everybody gets the same."""

    name: str
    channel: Channel
    category: Category
    variables: Declared
    contents: Mapping[str, Content | FromLayout]
    email_content: EmailContent | None = None
    is_draft: bool = False


class Expected(Struct, frozen=True):
    """What the client says of the template's state, by its tags; ``("*",)`` of one that is there in any state."""

    tags: tuple[str, ...] | None = None
    is_new: bool = False

    def check(self, template: Template) -> None:
        """Raise ``ChangedMeanwhileError`` if it is otherwise."""
        if self.is_new and template.exists:
            raise ChangedMeanwhileError("There is such a template already.")
        if self.tags is None or (template.exists and (template.tag in self.tags or "*" in self.tags)):
            return
        raise ChangedMeanwhileError("The template has been changed since it was read.")


ANYTHING: Final = Expected()


class TemplateView(Struct, frozen=True):
    """A template, and one of its versions."""

    template: Template
    version: TemplateVersion
    warnings: tuple[FieldError, ...] = ()


class Listed(Struct, frozen=True):
    """A template in a list."""

    template: Template
    about: Summary


class TemplateService(Struct, frozen=True, kw_only=True):
    """The templates of one business at a time."""

    templates: TemplateBook
    render_layout: RenderLayout
    clock: Clock

    def put(self, business_id: str, template_id: str, new: NewVersion, expected: Expected = ANYTHING) -> TemplateView:
        """Save a version: what messages are made from now, or a draft beside it, in place of the draft before.

        Raises ``InvalidInputError`` with everything that is wrong, and ``ChangedMeanwhileError``.
        """
        if not TEMPLATE_ID.fullmatch(template_id):
            message = "Must be 1 to 64 letters, digits, dots, hyphens and underscores, a dot not first."
            raise InvalidInputError(FieldError("template_id", message))

        def write() -> TemplateView:
            before = self.templates.get(business_id, template_id)
            expected.check(before)
            return self._saved(before, new)

        return retried(write)

    def change(
        self,
        business_id: str,
        template_id: str,
        changed: Callable[[TemplateVersion], NewVersion],
        expected: Expected = ANYTHING,
        *,
        is_draft: bool | None = None,
    ) -> TemplateView:
        """Save what is ``changed`` of what is published, or, with ``is_draft``, of the draft, if there is one.

        Without ``is_draft`` it is what is published, or else the draft. Raises as ``put``, and ``NotFoundError``.
        """

        def write() -> TemplateView:
            before = self._existing(business_id, template_id)
            expected.check(before)
            into_draft = not before.published if is_draft is None else is_draft
            number = before.draft or before.published if into_draft else before.published or before.draft
            new = changed(self.view(before, number).version)
            return self._saved(before, replace(new, is_draft=into_draft))

        return retried(write)

    def _saved(self, before: Template, new: NewVersion) -> TemplateView:
        """Check, render and write the next version. Raises ``InvalidInputError`` with everything that is wrong."""
        check_declared(new.variables)
        warnings: list[FieldError] = []
        version = TemplateVersion(
            business_id=before.business_id,
            template_id=before.template_id,
            version=before.latest + 1,
            name=new.name,
            channel=new.channel,
            category=new.category,
            variables=new.variables,
            contents=self._contents(before.business_id, new, warnings),
            layouts={language: each.layout for language, each in _layouts(new)},
            email_content=new.email_content,
            saved_at=self.clock.now(),
        )
        after = before.with_draft(version) if new.is_draft else before.with_published(version)
        return TemplateView(self.templates.save(before, after, version), version, tuple(warnings))

    def publish(self, business_id: str, template_id: str, expected: Expected = ANYTHING) -> TemplateView:
        """Let messages be made from the draft; without one, what is published stays. Raises ``NotFoundError``."""

        def write() -> TemplateView:
            before = self._existing(business_id, template_id)
            expected.check(before)
            if not before.draft:
                return self.view(before, before.published)
            draft = self.view(before, before.draft).version
            version = replace(draft, version=before.latest + 1, saved_at=self.clock.now())
            after = before.with_published(version).with_draft(None)
            return TemplateView(self.templates.save(before, after, version), version)

        return retried(write)

    def delete(
        self, business_id: str, template_id: str, expected: Expected = ANYTHING, *, draft_alone: bool = False
    ) -> None:
        """Remove a template, or only its draft; what was made from it is sent all the same.

        Raises ``NotFoundError`` and ``ChangedMeanwhileError``.
        """

        def write() -> None:
            before = self._existing(business_id, template_id)
            expected.check(before)
            if draft_alone and not before.draft:
                raise NotFoundError("draft")
            after = before.with_draft(None) if draft_alone else before.deleted()
            self.templates.save(before, after if after.exists else before.deleted())

        retried(write)

    def get(
        self, business_id: str, template_id: str, *, number: int | None = None, is_draft: bool = False
    ) -> TemplateView:
        """What is published, or else the draft; that of a ``number``, or the draft, if so asked.

        Raises ``NotFoundError``.
        """
        template = self.templates.get(business_id, template_id)
        if number is not None:
            return self.view(template, number)
        wanted = template.draft if is_draft else template.published or template.draft
        if not wanted:
            raise NotFoundError("draft" if is_draft and template.exists else "template")
        return self.view(template, wanted)

    def view(self, template: Template, number: int) -> TemplateView:
        """A template and the version of that number, read now: a draft may be gone. Raises ``NotFoundError``."""
        found = self.templates.versions(template.business_id, {template.template_id: number})
        if not found:
            raise NotFoundError("template version" if template.exists else "template")
        return TemplateView(template, found[template.template_id])

    def page(self, business_id: str, limit: int, cursor: str | None, q: str | None = None) -> Page[Listed]:
        """A business's templates by id, with all words of ``q`` in name or text.

        A page is full while there is more, unless very many were looked at for it. Raises ``InvalidInputError``.
        """
        after, found, looked_at = read_cursor(cursor, TEMPLATE_ID) or "", list[Listed](), 0
        matches = self._matching(business_id, q)
        while True:
            templates = self.templates.page(business_id, after, LOOKED_AT)
            matching = matches([each for each in templates if each.exists])
            for template in templates:
                if template.template_id in matching and template.about is not None:
                    found.append(Listed(template, template.about))
                after, looked_at = template.template_id, looked_at + 1
                if len(found) == limit or looked_at == MOST_LOOKED_AT:
                    return Page(found, write_cursor(after))
            if len(templates) < LOOKED_AT:
                return Page(found)

    def _matching(self, business_id: str, q: str | None) -> Callable[[list[Template]], frozenset[str]]:
        """Which of some templates are looked for. Raises ``InvalidInputError``."""
        if q is None:
            return lambda templates: frozenset(each.template_id for each in templates)
        from rebound.kernel.search import NOTHING_SEEN, compile_search, is_unseen  # noqa: PLC0415 - few lists search

        if is_unseen(q):
            raise InvalidInputError(FieldError("q", NOTHING_SEEN))
        search = compile_search(q)

        def matching(templates: list[Template]) -> frozenset[str]:
            numbers = {each.template_id: each.published or each.draft for each in templates}
            versions = self.templates.versions(business_id, numbers)
            return frozenset(id_ for id_, version in versions.items() if search((" ".join(_words_of(version)),), ()))

        return matching

    def _existing(self, business_id: str, template_id: str) -> Template:
        template = self.templates.get(business_id, template_id)
        if not template.exists:
            raise NotFoundError("template")
        return template

    def _contents(self, business_id: str, new: NewVersion, warnings: list[FieldError]) -> Mapping[str, Content]:
        """What the version says, rendered where there is a layout. Raises ``InvalidInputError``."""
        errors: list[FieldError] = []
        contents: dict[str, Content] = {}
        for language, given in new.contents.items():
            try:
                contents[language] = self._content(business_id, new, language, given, warnings)
            except InvalidInputError as error:
                errors.extend(error.errors)
        if new.email_content is not None:
            try:
                check_content(new.email_content, new.category, new.variables, "email_content")
            except InvalidInputError as error:
                errors.extend(error.errors)
        if errors:
            raise InvalidInputError(*errors)
        said = [written_content(each) for each in contents.values()]
        size = len(json.encode([said, [each.layout for _, each in _layouts(new)]]))
        if size > MOST_BYTES:
            message = f"In all languages, with what is rendered from layouts, it has {size} bytes; at most"
            raise InvalidInputError(FieldError(_path(next(iter(new.contents))), f"{message} {MOST_BYTES} are allowed."))
        return contents

    def _content(
        self,
        business_id: str,
        new: NewVersion,
        language: str,
        given: Content | FromLayout,
        warnings: list[FieldError],
    ) -> Content:
        declared = new.variables
        if not isinstance(given, FromLayout):
            check_content(given, new.category, declared, _path(language))
            return given
        path = "layout" if language == ANY_LANGUAGE else f"{_path(language)}.layout"
        rendered = self.render_layout(business_id, given.layout, new.category, path, declared, language or None)
        content = content_of(rendered, path)
        check_content(content, new.category, declared, path)
        warnings.extend(rendered.warnings)
        return content


def _path(language: str) -> str:
    """Where in a request stands what is said in a language."""
    return "content" if language == ANY_LANGUAGE else f"contents.{language}"


def _layouts(new: NewVersion) -> Iterator[tuple[str, FromLayout]]:
    return ((language, each) for language, each in new.contents.items() if isinstance(each, FromLayout))


def _words_of(version: TemplateVersion) -> Iterator[str]:
    """What is searched: the name, and what can be read of every content."""
    yield version.name
    for content in (*version.contents.values(), *(() if version.email_content is None else (version.email_content,))):
        if isinstance(content, EmailContent):
            yield content.subject
            yield content.text or html_as_text(content.html or "")
        else:
            yield content.body
