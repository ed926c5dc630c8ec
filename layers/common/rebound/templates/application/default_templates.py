"""The default templates of events: what a business sends as long as it has saved nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, json

from rebound.kernel.channels import Channel
from rebound.kernel.retrying import retried
from rebound.templates.application.make_version import FromLayout, NewVersion
from rebound.templates.domain.template import TEMPLATE_ID, Summary, Template, TemplateVersion
from rebound.templates.domain.template_events import default_id, default_template, event_of_default, template_events

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory
    from rebound.platform.ports import Clock
    from rebound.templates.application.make_version import MadeVersion, MakeVersion
    from rebound.templates.ports import TemplateBook

_SAID: Final = frozenset({"subject", "preheader", "text", "title", "terms", "code", "paragraph"})
"""What of a layout people read."""


class Default(Struct, frozen=True):
    """A default template; ``digest`` is another where its words are."""

    new: NewVersion
    digest: str

    @property
    def about(self) -> Summary:
        """What a list says of it."""
        new = self.new
        return Summary(new.name, new.channel, new.category, tuple(new.contents), event=new.event)

    def words(self) -> Iterator[str]:
        """What is searched."""
        yield self.new.name
        for content in self.new.contents.values():
            yield from _said(content.layout) if isinstance(content, FromLayout) else _texts_of(content)


@cache
def default_of(template_id: str) -> Default | None:
    """The default template of an id; ``None`` for one of a business's own."""
    found = event_of_default(template_id)
    if found is None:
        return None
    default = default_template(*found)
    layouts = {language: FromLayout(layout) for language, layout in default.layouts.items()}
    new = NewVersion(
        name=default.name,
        channel=default.channel,
        category=default.category,
        event=default.event,
        variables={},
        contents={**layouts, **default.texts},
    )
    return Default(new, sha256(json.encode([default.category, default.layouts, default.texts])).hexdigest()[:16])


@cache
def default_ids() -> tuple[str, ...]:
    """The ids of all default templates, sorted."""
    return tuple(sorted(default_id(event, channel) for event in template_events() for channel in Channel))


class DefaultTemplates(Struct, frozen=True, kw_only=True):
    """Makes and saves default templates of a business."""

    templates: TemplateBook
    make_version: MakeVersion
    businesses: BusinessDirectory
    clock: Clock

    def unsaved(self, template: Template, business: Business | None = None) -> Default | None:
        """The default that a template is, where it is not saved: so it is until somebody uses or changes it.

        A default that was saved, and would be another now, is not saved either. ``business`` is read where it is not
        given, and needed.
        """
        default = default_of(template.template_id)
        if default is None or not template.published:
            return default
        if template.default_digest is None:
            return None
        return None if template.default_digest == self._digest(template, default, business) else default

    def _digest(self, template: Template, default: Default, business: Business | None = None) -> str:
        """Another where what is sent is another: for other words, and emails also for another style of the business."""
        if default.new.channel is not Channel.EMAIL:
            return default.digest
        business = business or self.businesses.get(template.business_id)
        return sha256(default.digest.encode() + json.encode(business.layout_style)).hexdigest()[:16]

    def made(self, template: Template, default: Default) -> MadeVersion:
        """A default as the next version, not saved."""
        return self.make_version(template, template.latest + 1, default.new, self.clock.now())

    def save(self, before: Template, default: Default) -> tuple[Template, TemplateVersion]:
        """Save a default as what is published. Raises ``ConcurrentChangeError``."""
        version = self.made(before, default).version
        after = before.with_published(version, self._digest(before, default))
        return self.templates.save(before, after, version), version

    def published(self, business_id: str, template_id: str) -> int:
        """The number of the version from which messages are made; 0 for none.

        A default is saved by whoever uses it first, so that what is made from it stays as it is.
        """
        if not TEMPLATE_ID.fullmatch(template_id):
            return 0

        def write() -> int:
            template = self.templates.get(business_id, template_id)
            default = self.unsaved(template)
            return template.published if default is None else self.save(template, default)[0].published

        return retried(write)


def _said(value: Any) -> Iterator[str]:
    """The texts within a layout."""
    match value:
        case Mapping():
            for name, each in value.items():
                if isinstance(each, str):
                    yield from [each] if name in _SAID else []
                else:
                    yield from _said(each)
        case list():
            for each in value:
                yield from [each] if isinstance(each, str) else _said(each)


def _texts_of(content: Struct) -> Iterator[str]:
    """The texts of a content."""
    return (each for each in (getattr(content, name) for name in content.__struct_fields__) if each is not None)
