"""Making a version of a template: what it is to say is checked, and rendered where it has layouts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, json

from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.templates.application.render_layout import content_of
from rebound.templates.domain.content import ANY_LANGUAGE, Content, EmailContent, written_content
from rebound.templates.domain.rendering import addresses_alone, addresses_among, check_content, names_used
from rebound.templates.domain.sendable import about_size
from rebound.templates.domain.template import TemplateVersion
from rebound.templates.domain.template_events import for_what_is_used, lacking, template_events, variables_of
from rebound.templates.domain.typed_values import is_empty
from rebound.templates.domain.variables import Declared, check_declared

if TYPE_CHECKING:
    from datetime import datetime

    from rebound.businesses.domain.business import Business
    from rebound.kernel.categories import Category
    from rebound.kernel.channels import Channel
    from rebound.templates.application.render_layout import RenderLayout
    from rebound.templates.domain.template import Template

MOST_BYTES: Final = 350_000
"""Of a version, as JSON in UTF-8: a row of the table holds 400 KB."""


class FromLayout(Struct, frozen=True):
    """Content that is to be rendered from a layout, as the client wrote it."""

    layout: Mapping[str, Any]


class NewVersion(Struct, frozen=True, kw_only=True):
    """What a template is to say, by language; ``ANY_LANGUAGE`` where everybody gets the same.

    ``variables`` are those that it declares itself, besides those of its ``event``.
    """

    name: str
    channel: Channel
    category: Category
    event: str | None = None
    variables: Declared
    contents: Mapping[str, Content | FromLayout]
    email_content: EmailContent | None = None
    is_draft: bool = False

    @classmethod
    def again(cls, version: TemplateVersion) -> NewVersion:
        """What a version says, for one that says something else in part."""
        layouts = {language: FromLayout(layout) for language, layout in version.layouts.items()}
        return cls(
            name=version.name,
            channel=version.channel,
            category=version.category,
            event=version.event,
            variables={name: version.variables[name] for name in version.own_variables},
            contents={**version.contents, **layouts},
            email_content=version.email_content,
        )


class MadeVersion(Struct, frozen=True):
    """A version, and what had better be mended in it."""

    version: TemplateVersion
    warnings: tuple[FieldError, ...] = ()


class MakeVersion(Struct, frozen=True, kw_only=True):
    """Makes versions, which are not saved yet."""

    render_layout: RenderLayout

    def __call__(self, template: Template, number: int, new: NewVersion, saved_at: datetime) -> MadeVersion:
        """The version of that number. Raises ``InvalidInputError`` with everything that is wrong."""
        check_declared(new.variables)
        of_event = {} if new.event is None else variables_of(new.event)
        _check_kept(new, of_event)
        declared = {**of_event, **new.variables}
        warnings: list[FieldError] = []
        contents = self._contents(template.business_id, new, declared, warnings)
        said = (*contents.values(), *(() if new.email_content is None else (new.email_content,)))
        used = frozenset(name for content in said for name in names_used(content))
        _check_links(said, declared)
        version = TemplateVersion(
            business_id=template.business_id,
            template_id=template.template_id,
            version=number,
            name=new.name,
            channel=new.channel,
            category=new.category,
            event=new.event,
            variables={**for_what_is_used(of_event, used), **new.variables},
            own_variables=tuple(new.variables),
            contents=contents,
            layouts={language: each.layout for language, each in _layouts(new)},
            email_content=new.email_content,
            saved_at=saved_at,
        )
        _check_size(version)
        return MadeVersion(version, tuple(warnings))

    def _contents(
        self, business_id: str, new: NewVersion, declared: Declared, warnings: list[FieldError]
    ) -> Mapping[str, Content]:
        """What the version says, rendered where there is a layout. Raises ``InvalidInputError``."""
        errors: list[FieldError] = []
        contents: dict[str, Content] = {}
        # Read once for all languages.
        business = self.render_layout.businesses.get(business_id) if any(_layouts(new)) else None
        for language, given in new.contents.items():
            try:
                contents[language] = self._content(business_id, new, language, declared, warnings, business)
                errors.extend(_lacks(new.event, contents[language], _path_of(given, language)))
            except InvalidInputError as error:
                errors.extend(error.errors)
        if new.email_content is not None:
            try:
                check_content(new.email_content, new.category, declared, "email_content")
                errors.extend(_lacks(new.event, new.email_content, "email_content"))
            except InvalidInputError as error:
                errors.extend(error.errors)
        if errors:
            raise InvalidInputError(*errors)
        return contents

    def _content(
        self,
        business_id: str,
        new: NewVersion,
        language: str,
        declared: Declared,
        warnings: list[FieldError],
        business: Business | None,
    ) -> Content:
        given = new.contents[language]
        if not isinstance(given, FromLayout):
            check_content(given, new.category, declared, _path(language))
            warnings.extend(about_size(given, new.category, _path(language), declared))
            return given
        path = _path_of(given, language)
        rendered = self.render_layout(
            business_id, given.layout, new.category, path, declared, language or None, business
        )
        content = content_of(rendered, path)
        check_content(content, new.category, declared, path)
        warnings.extend(rendered.warnings)
        return content


def _check_kept(new: NewVersion, of_event: Declared) -> None:
    """Refuse to make of an event's variable what the event's senders do not know. Raises ``InvalidInputError``."""
    must_use = () if new.event is None else template_events()[new.event].must_use
    errors: list[FieldError] = []
    for name in of_event.keys() & new.variables.keys():
        own, given = new.variables[name], of_event[name]
        if own.type is not given.type:
            message = f"Must be {given.type}: the event {new.event} gives this variable."
            errors.append(FieldError(f"variables.{name}.type", message))
        if name in must_use and not own.required:
            message = f"Must be true: without it the event {new.event} is of no use."
            errors.append(FieldError(f"variables.{name}.required", message))
    if errors:
        raise InvalidInputError(*sorted(errors, key=lambda error: error.field))


def _check_links(said: Iterable[Content], declared: Declared) -> None:
    """Refuse a link or an image of which the address may be empty. Raises ``InvalidInputError``."""
    addresses = addresses_among(declared)
    needed = {name for content in said for name in addresses_alone(content, addresses)}
    message = "Is the whole address of a link or an image, which leads nowhere without it: declare it with required"
    errors = [
        FieldError(f"variables.{name}", f"{message} true, or with a default.")
        for name, variable in declared.items()
        if name in needed and not variable.required and is_empty(variable.default)
    ]
    if errors:
        raise InvalidInputError(*errors)


def _check_size(version: TemplateVersion) -> None:
    """Refuse what does not fit a row. Raises ``InvalidInputError``."""
    said = [written_content(each) for each in version.contents.values()]
    more = None if version.email_content is None else written_content(version.email_content)
    size = len(json.encode([said, more, version.layouts, version.variables]))
    if size > MOST_BYTES:
        message = f"With all languages, variables and what is rendered from layouts, it has {size} bytes; at most"
        raise InvalidInputError(FieldError(_path(next(iter(version.contents))), f"{message} {MOST_BYTES} are allowed."))


def _path(language: str) -> str:
    """Where in a request stands what is said in a language."""
    return "content" if language == ANY_LANGUAGE else f"contents.{language}"


def _path_of(given: Content | FromLayout, language: str) -> str:
    if not isinstance(given, FromLayout):
        return _path(language)
    return "layout" if language == ANY_LANGUAGE else f"{_path(language)}.layout"


def _lacks(event: str | None, content: Content, path: str) -> Iterator[FieldError]:
    """The variables without which nobody could do what the event asks for."""
    for name in () if event is None else lacking(event, content):
        what = template_events()[event].name if event is not None else ""
        message = f"Must have ##{{{{{name}}}}} in every part where it can be read: {what} is of no use without it."
        yield FieldError(path, message)


def _layouts(new: NewVersion) -> Iterator[tuple[str, FromLayout]]:
    return ((language, each) for language, each in new.contents.items() if isinstance(each, FromLayout))
