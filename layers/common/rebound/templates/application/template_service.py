"""Saving templates, drafts beside what is published, and finding them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import replace
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.kernel.errors import (
    ChangedMeanwhileError,
    ConcurrentChangeError,
    FieldError,
    InvalidInputError,
    NotFoundError,
)
from rebound.kernel.pages import Page, read_cursor, write_cursor
from rebound.kernel.retrying import retried
from rebound.templates.application.default_templates import default_ids, default_of
from rebound.templates.domain.content import EmailContent
from rebound.templates.domain.html_as_text import html_as_text
from rebound.templates.domain.template import TEMPLATE_ID, Summary, Template, TemplateVersion
from rebound.templates.domain.template_events import event_of_default, template_events

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory
    from rebound.kernel.search import Search
    from rebound.platform.ports import Clock
    from rebound.templates.application.default_templates import Default, DefaultTemplates
    from rebound.templates.application.make_version import MakeVersion, NewVersion
    from rebound.templates.ports import TemplateBook

MOST_LOOKED_AT: Final = 500
"""Templates that are looked at for one page of those that match."""
LOOKED_AT: Final = 25
"""At once: a search reads what they say."""


class Expected(Struct, frozen=True):
    """What the client says of the template's state, by its tags; ``("*",)`` of one that is there in any state."""

    tags: tuple[str, ...] | None = None
    is_new: bool = False

    def check(self, template: Template) -> None:
        """Raise ``ChangedMeanwhileError`` if it is otherwise."""
        exists = template.exists or default_of(template.template_id) is not None
        if self.is_new and exists:
            raise ChangedMeanwhileError("There is such a template already.")
        if self.tags is None or (exists and (template.tag in self.tags or "*" in self.tags)):
            return
        raise ChangedMeanwhileError("The template has been changed since it was read.")


ANYTHING: Final = Expected()


class TemplateView(Struct, frozen=True):
    """A template, and one of its versions.

    ``is_default`` says that this is the default template of its event, which need not have been saved.
    """

    template: Template
    version: TemplateVersion
    warnings: tuple[FieldError, ...] = ()
    is_default: bool = False


class Listed(Struct, frozen=True):
    """A template in a list; ``unsaved`` is the default that it is, where it is not saved."""

    template: Template
    about: Summary
    is_default: bool
    unsaved: Default | None = None

    @property
    def is_own(self) -> bool:
        """Whether the business has written any of it, be it a draft."""
        return not self.is_default or bool(self.template.draft)


class TemplateService(Struct, frozen=True, kw_only=True):
    """The templates of one business at a time."""

    templates: TemplateBook
    make_version: MakeVersion
    defaults: DefaultTemplates
    businesses: BusinessDirectory
    clock: Clock

    def put(self, business_id: str, template_id: str, new: NewVersion, expected: Expected = ANYTHING) -> TemplateView:
        """Save a version: what messages are made from now, or a draft beside it, in place of the draft before.

        Raises ``InvalidInputError`` with everything that is wrong, and ``ChangedMeanwhileError``.
        """
        if not TEMPLATE_ID.fullmatch(template_id):
            message = "Must be 1 to 64 letters, digits, dots, hyphens and underscores, a dot not first."
            raise InvalidInputError(FieldError("template_id", message))
        new = _as_its_id_says(template_id, new)

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
            before = self.templates.get(business_id, template_id)
            default = self.defaults.unsaved(before)
            if not before.exists and default is None:
                raise NotFoundError("template")
            expected.check(before)
            is_published = bool(before.published) or default is not None
            into_draft = not is_published if is_draft is None else is_draft
            if before.draft and (into_draft or not is_published):
                version = self._read(before, before.draft)
            else:
                version = (
                    self.defaults.made(before, default).version if default else self._read(before, before.published)
                )
            return self._saved(before, _as_its_id_says(template_id, replace(changed(version), is_draft=into_draft)))

        return retried(write)

    def _saved(self, before: Template, new: NewVersion) -> TemplateView:
        """Check, render and write the next version, if it says anything else than the one whose place it takes.

        Raises ``InvalidInputError`` with everything that is wrong.
        """
        default = self.defaults.unsaved(before)
        # A default that is not saved was shown with the next number.
        number = before.latest + (1 if default is None else 2)
        made = self.make_version(before, number, new, self.clock.now())
        version, stands = made.version, self._in_place(before, default, is_draft=new.is_draft)
        if stands is not None and replace(
            version, version=stands.version.version, saved_at=stands.version.saved_at
        ) == (stands.version):
            return replace(stands, warnings=made.warnings)
        after = before.with_draft(version) if new.is_draft else before.with_published(version)
        return TemplateView(self.templates.save(before, after, version), version, made.warnings)

    def _in_place(self, before: Template, default: Default | None, *, is_draft: bool) -> TemplateView | None:
        """What is published, or the draft; ``None`` where there is none."""
        if default is not None and not is_draft:
            return self._shown(before)
        number = before.draft if is_draft else before.published
        return self._view(before, number) if number else None

    def publish(self, business_id: str, template_id: str, expected: Expected = ANYTHING) -> TemplateView:
        """Let messages be made from the draft; without one, what is published stays. Raises ``NotFoundError``."""

        def write() -> TemplateView:
            before = self.templates.get(business_id, template_id)
            if not before.exists and self.defaults.unsaved(before) is None:
                raise NotFoundError("template")
            expected.check(before)
            if not before.draft:
                return self._shown(before)
            draft = self._read(before, before.draft)
            version = replace(draft, version=before.latest + 1, saved_at=self.clock.now())
            after = before.with_published(version).with_draft(None)
            return TemplateView(self.templates.save(before, after, version), version)

        return retried(write)

    def delete(
        self, business_id: str, template_id: str, expected: Expected = ANYTHING, *, draft_alone: bool = False
    ) -> None:
        """Remove a template, or only its draft; what was made from it is sent all the same.

        Of an event's default template, what the business has saved goes, and the default is there again. Raises
        ``NotFoundError`` and ``ChangedMeanwhileError``.
        """

        def write() -> None:
            before = self.templates.get(business_id, template_id)
            if not before.exists:
                raise NotFoundError("template")
            expected.check(before)
            if draft_alone and not before.draft:
                raise NotFoundError("draft")
            after = before.with_draft(None) if draft_alone else before.deleted()
            self.templates.save(before, after if after.exists else before.deleted())

        retried(write)

    def reset(self, business_id: str, template_id: str, expected: Expected = ANYTHING) -> TemplateView:
        """Take the default template of an event back to what it says by default, as a new version; a draft stays.

        Raises ``NotFoundError`` for what is no default template, and ``ChangedMeanwhileError``.
        """

        def write() -> TemplateView:
            before, default = self.templates.get(business_id, template_id), default_of(template_id)
            if default is None:
                raise NotFoundError("default template")
            expected.check(before)
            if self.defaults.unsaved(before) is not None or before.default_digest is not None:
                return self._shown(before)
            template, version = self.defaults.save(before, default)
            return TemplateView(template, version, is_default=True)

        return retried(write)

    def get(
        self, business_id: str, template_id: str, *, number: int | None = None, is_draft: bool = False
    ) -> TemplateView:
        """What is published, or else the draft; that of a ``number``, or the draft, if so asked.

        Raises ``NotFoundError``.
        """

        def read() -> TemplateView:
            template = self.templates.get(business_id, template_id)
            is_unsaved = number == template.latest + 1 and self.defaults.unsaved(template) is not None
            if number is not None and not is_unsaved:
                return self._view(template, number)
            if is_draft and not template.draft:
                raise NotFoundError("draft" if template.exists else "template")
            return self._view(template, template.draft) if is_draft else self._shown(template)

        return retried(read)

    def latest(self, business_id: str, template_id: str) -> TemplateView:
        """The draft, or else what is published. Raises ``NotFoundError``."""

        def read() -> TemplateView:
            template = self.templates.get(business_id, template_id)
            return self._view(template, template.draft) if template.draft else self._shown(template)

        return retried(read)

    def _shown(self, template: Template) -> TemplateView:
        """What is published, or else the draft. Raises ``NotFoundError``."""
        default = self.defaults.unsaved(template)
        if default is not None:
            made = self.defaults.made(template, default)
            return TemplateView(template, made.version, made.warnings, is_default=True)
        if not template.exists:
            raise NotFoundError("template")
        return self._view(template, template.published or template.draft)

    def _view(self, template: Template, number: int) -> TemplateView:
        is_default = number == template.published and template.default_digest is not None
        return TemplateView(template, self._read(template, number), is_default=is_default)

    def _read(self, template: Template, number: int) -> TemplateVersion:
        """The version of that number, read now.

        Raises ``NotFoundError``, and ``ConcurrentChangeError`` for a draft that was published or removed meanwhile.
        """
        found = self.templates.versions(template.business_id, {template.template_id: number})
        if not found and number in {template.published, template.draft}:
            raise ConcurrentChangeError
        if not found:
            raise NotFoundError("template version" if template.exists else "template")
        return found[template.template_id]

    def page(
        self,
        business_id: str,
        limit: int,
        cursor: str | None,
        q: str | None = None,
        event: str | None = None,
        *,
        own: bool | None = None,
        business: Business | None = None,
    ) -> Page[Listed]:
        """A business's templates by id, defaults among them, with all words of ``q`` in name or text.

        With ``own``, only those of which it has written anything, or only the others. A page is full while there is
        more, unless very many were looked at for it. Who has read the ``business`` gives it. Raises
        ``InvalidInputError``.
        """
        if event is not None:
            check_event(event)
        found, looked_at, search = list[Listed](), 0, _search(q)
        for several in self._listed(business_id, read_cursor(cursor, TEMPLATE_ID) or "", business):
            meant = [each for each in several if event in (None, each.about.event) and own in (None, each.is_own)]
            matching = {each.template.template_id for each in self._matching(business_id, meant, search)}
            for each in several:
                template_id, looked_at = each.template.template_id, looked_at + 1
                if template_id in matching:
                    found.append(each)
                if len(found) == limit or looked_at == MOST_LOOKED_AT:
                    return Page(found, write_cursor(template_id))
        return Page(found)

    def _listed(self, business_id: str, after: str, business: Business | None) -> Iterator[list[Listed]]:
        """All templates after an id, some at a time."""
        business = business or self.businesses.get(business_id)
        while True:
            saved = {each.template_id: each for each in self.templates.page(business_id, after, LOOKED_AT)}
            is_last = len(saved) < LOOKED_AT
            until = "~" if is_last else max(saved)
            ids = sorted({*saved, *(each for each in default_ids() if after < each <= until)})
            templates = (saved.get(id_, Template(business_id=business_id, template_id=id_)) for id_ in ids)
            yield [listed for each in templates if (listed := self._as_listed(each, business)) is not None]
            if is_last:
                return
            after = until

    def _as_listed(self, template: Template, business: Business) -> Listed | None:
        default = self.defaults.unsaved(template, business)
        if default is not None:
            return Listed(template, default.about, is_default=True, unsaved=default)
        if template.about is None:
            return None
        return Listed(template, template.about, is_default=template.default_digest is not None)

    def _matching(self, business_id: str, listed: list[Listed], search: Search | None) -> list[Listed]:
        if search is None:
            return listed
        saved = [each.template for each in listed if each.unsaved is None]
        numbers = {each.template_id: each.published or each.draft for each in saved}
        versions = self.templates.versions(business_id, numbers)

        def words(each: Listed) -> str:
            version = versions.get(each.template.template_id)
            return " ".join(each.unsaved.words() if each.unsaved is not None else _words_of(version) if version else ())

        return [each for each in listed if search((words(each),), ())]


def check_event(event: str) -> None:
    """Raise ``InvalidInputError`` when there is no such event."""
    events = template_events()
    if event not in events:
        what = f"Must be one of {', '.join(events)}."
        raise InvalidInputError(FieldError.unknown("event", what, event, events))


def _as_its_id_says(template_id: str, new: NewVersion) -> NewVersion:
    """The version, if it is about what its id says, where that is a default's. Raises ``InvalidInputError``."""
    if new.event is not None:
        check_event(new.event)
    named = event_of_default(template_id)
    if named is None:
        return new
    event, channel = named
    if new.channel is not channel:
        raise InvalidInputError(FieldError("channel", f"Must be {channel}: the id is that of a default template."))
    if new.event != event:
        raise InvalidInputError(FieldError("event", f"Must be {event}: the id is that of a default template."))
    return new


def _search(q: str | None) -> Search | None:
    """What finds the words. Raises ``InvalidInputError``."""
    if q is None:
        return None
    from rebound.kernel.search import NOTHING_SEEN, compile_search, is_unseen  # noqa: PLC0415 - few lists search

    if is_unseen(q):
        raise InvalidInputError(FieldError("q", NOTHING_SEEN))
    return compile_search(q)


def _words_of(version: TemplateVersion) -> Iterator[str]:
    """What is searched: the name, and what can be read of every content."""
    yield version.name
    for content in (*version.contents.values(), *(() if version.email_content is None else (version.email_content,))):
        if isinstance(content, EmailContent):
            yield content.subject
            yield content.text or html_as_text(content.html or "")
        else:
            yield content.body
