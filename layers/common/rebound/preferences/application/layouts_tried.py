"""Tests of layouts that nobody has saved yet, to whoever works on them."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from msgspec import Struct

from rebound.kernel.channels import Channel
from rebound.kernel.placeholders import PLACEHOLDER
from rebound.preferences.application.campaigns_tried import MARK
from rebound.templates.application.make_version import FromLayout
from rebound.templates.application.render_layout import content_of
from rebound.templates.domain.content import marked
from rebound.templates.domain.rendering import VARIABLES
from rebound.templates.domain.template import Template
from rebound.templates.domain.typed_values import reader_of
from rebound.templates.domain.variables import examples_of, filled

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.messages.domain.messages import Message
    from rebound.platform.ports import Clock
    from rebound.preferences.application.campaigns_tried import PostToTestRecipient
    from rebound.templates.application.make_version import MakeVersion, NewVersion
    from rebound.templates.application.render_layout import RenderLayout

_ADDRESSES: Final = frozenset({"link", "source"})
"""Fields of a layout whose whole value is an address."""


class SendLayoutTest(Struct, frozen=True, kw_only=True):
    """Sends a layout to whoever works on it: marked, with examples and made-up values, in no audience."""

    make_version: MakeVersion
    render_layout: RenderLayout
    businesses: BusinessDirectory
    post: PostToTestRecipient
    clock: Clock

    def __call__(self, business_id: str, new: NewVersion, language: str, to: str) -> Message:
        """Queue the email that the layout of a language makes. It is to be what a version says that is not saved.

        ``to`` is the address of somebody who has shown that it is theirs, as everybody does who signs in. Nothing is
        kept that the test would need later: a draft may be another by then. Raises ``InvalidInputError`` with paths
        as for the version, ``ConflictError`` when nothing is sent by email, and ``TooSoonError``.
        """
        business, given = self.businesses.get(business_id), new.contents[language]
        if not isinstance(given, FromLayout):
            raise TypeError("only a layout is tried so")
        template = Template(business_id=business_id, template_id="-")
        declared = self.make_version(template, 1, new, self.clock.now()).version.variables
        own = {name: each for name, each in declared.items() if name not in VARIABLES}
        values = filled(own, examples_of(own), {}, reader_of(None, business, Channel.EMAIL)).values
        layout = layout_filled(given.layout, values)
        rendered = self.render_layout(business_id, layout, new.category, "layout", declared, language or None)
        content = marked(content_of(rendered, "layout"), MARK)
        return self.post(
            business_id, to, channel=Channel.EMAIL, category=new.category, content=lambda: content, own_address=to
        )


def layout_filled(layout: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """The layout as it would be written with the values; other variables stay. It has been checked before."""
    return {name: _filled(each, name, values) for name, each in layout.items()}


def _filled(value: Any, name: str, values: Mapping[str, str]) -> Any:
    match value:
        case Mapping():
            return layout_filled(value, values)
        case list():
            return [_filled(each, name, values) for each in value]
        case str():
            return PLACEHOLDER.sub(lambda found: _written(found[0], found[1].strip(), name, value, values), value)
    return value


def _written(placeholder: str, variable: str, name: str, whole: str, values: Mapping[str, str]) -> str:
    if variable not in values:
        return placeholder
    said = values[variable]
    if name == "html":
        return html.escape(said)
    # An address goes in as it is where it is the whole of one.
    return quote(said, safe="") if name in _ADDRESSES and whole.strip() != placeholder else said
