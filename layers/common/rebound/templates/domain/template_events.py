"""The events that a business writes to customers about: what is known of each, and a default template in each language.

All of it is data in ``templates/events``: ``events.json`` has the events with their variables, ``<language>.json`` what
the defaults say. All emails are built alike, by ``_layout_of``: a word is changed in its language's file, how they look
is changed here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from copy import replace
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct, json

from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.languages import LANGUAGES, LAST_RESORT
from rebound.kernel.placeholders import PLACEHOLDER
from rebound.templates.domain.content import Content, TextContent
from rebound.templates.domain.footers import ALL_LINKS
from rebound.templates.domain.html_reading import read_for_footer
from rebound.templates.domain.placeholders import repaired
from rebound.templates.domain.typed_values import VariableType
from rebound.templates.domain.variables import Variable

_FOLDER: Final = f"{__file__.rsplit('/', 2)[0]}/events"
_OF_DETAILS: Final = "#222222"
_BEHIND_DETAILS: Final = "#eaf1fb"
"""Both, so that details can be read whatever colours a business has."""


class EventVariable(Struct, frozen=True):
    """A variable as the file has it; ``has_cases`` is set for the one that has ``refunds`` for its texts."""

    description: str
    example: Any
    type: VariableType = VariableType.TEXT
    has_cases: bool = False


class TemplateEvent(Struct, frozen=True, forbid_unknown_fields=True):
    """An event: what its templates are called, and which variables they may use.

    A message needs the ``required`` ones that its template uses. A template ``must_use`` some where it can be read.
    ``details`` are the lines that say what it is about, the first of them in bold, ``notes`` variables that are a
    paragraph each. Who may be no customer is not greeted by name (``greets``).
    """

    name: str
    description: str
    category: Category = Category.TRANSACTIONAL
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    must_use: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    greets: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its variables."""
        return (*self.required, *self.optional)


class EventWords(Struct, frozen=True, forbid_unknown_fields=True):
    """What the defaults of an event say in one language; ``terms`` are a voucher's."""

    subject: str
    preheader: str
    heading: str
    text: str
    sms: str
    after: str | None = None
    button: str | None = None
    terms: str | None = None


class DefaultTemplate(Struct, frozen=True, kw_only=True):
    """What a business sends about an event as long as it has saved nothing else.

    By language it has ``layouts`` for email, as a client would write them, or ``texts``.
    """

    event: str
    channel: Channel
    name: str
    category: Category
    layouts: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
    texts: Mapping[str, TextContent] = MappingProxyType({})


class _Events(Struct, frozen=True, forbid_unknown_fields=True):
    variables: dict[str, EventVariable]
    events: dict[str, TemplateEvent]


class _Words(Struct, frozen=True, forbid_unknown_fields=True):
    hello: str
    refunds: dict[str, str]
    events: dict[str, EventWords]


def template_events() -> Mapping[str, TemplateEvent]:
    """All events by name, in the order in which they are listed."""
    return MappingProxyType(_events().events)


def about_variables() -> Mapping[str, EventVariable]:
    """What is said of each variable of an event; one name means the same in all of them."""
    return MappingProxyType(_events().variables)


@cache
def variables_of(event: str) -> Mapping[str, Variable]:
    """The variables that templates of an event may use, beside those of the customer and the business.

    Raises ``KeyError`` for an event that there is not.
    """
    about, known = template_events()[event], about_variables()
    return MappingProxyType({name: _variable(known[name], required=name in about.required) for name in about.names})


def lacking(event: str, content: Content) -> tuple[str, ...]:
    """The variables that a content of an event must have where somebody can read or press them, and has not."""
    must_use = template_events()[event].must_use
    return tuple(name for name in must_use if not all(name in _names_in(part) for part in _readable(content)))


def _readable(content: Content) -> Iterator[str]:
    """What people see of each part of a content, and where its links lead."""
    if isinstance(content, TextContent):
        yield repaired(content.body, ALL_LINKS, is_html=False)
    else:
        if content.html is not None:
            yield read_for_footer(repaired(content.html, ALL_LINKS, is_html=True)).links
        if content.text is not None:
            yield repaired(content.text, ALL_LINKS, is_html=False)


def _names_in(text: str) -> set[str]:
    return {name.strip() for name in PLACEHOLDER.findall(text)}


def default_id(event: str, channel: Channel) -> str:
    """The id of a default template."""
    return f"{event}.{channel}"


def event_of_default(template_id: str) -> tuple[str, Channel] | None:
    """The event and channel of a default template's id; ``None`` for any other id."""
    event, _, channel = template_id.partition(".")
    if event in template_events() and channel in set(Channel):
        return event, Channel(channel)
    return None


@cache
def default_template(event: str, channel: Channel) -> DefaultTemplate:
    """The default template of an event for a channel. Raises ``KeyError`` for an event that there is not."""
    about = template_events()[event]
    layouts, texts = dict[str, Mapping[str, Any]](), dict[str, TextContent]()
    for language in LANGUAGES:
        words = _words(language).events[event]
        if channel is Channel.EMAIL:
            layouts[language] = _layout_of(about, _words(language).hello, words, language)
        else:
            texts[language] = TextContent(_text_of(about, words))
    return DefaultTemplate(
        event=event,
        channel=channel,
        name=about.name,
        category=about.category,
        layouts=layouts,
        texts=texts,
    )


def for_what_is_used(declared: Mapping[str, Variable], used: Collection[str]) -> Mapping[str, Variable]:
    """The variables for a text that uses some of them: what it does not use, no message needs."""
    return MappingProxyType(
        {name: replace(each, required=each.required and name in used) for name, each in declared.items()}
    )


def _layout_of(event: TemplateEvent, hello: str, words: EventWords, language: str) -> Mapping[str, Any]:
    """An email as all defaults are: whose it is, what happened, to what, what follows, and what there is to do."""
    blocks: list[dict[str, Any]] = [
        {"kind": "text", "parts": [{"paragraph": [{"text": "##{{business_name}}", "bold": True}]}]},
        {"kind": "heading", "text": words.heading},
        {"kind": "text", "text": f"{hello}\n\n{words.text}" if event.greets else words.text},
    ]
    if event.details:
        first, *others = event.details
        lines = [{"text": first, "bold": True}, *(f"\n{line}" for line in others)]
        inner = [{"kind": "text", "color": _OF_DETAILS, "parts": [{"paragraph": lines}]}]
        blocks.append({"kind": "columns", "background_color": _BEHIND_DETAILS, "columns": [{"blocks": inner}]})
    if words.terms is not None:
        code = {"title": "##{{voucher_value}}", "code": "##{{voucher_code}}", "terms": words.terms}
        blocks.append({"kind": "voucher", **code})
    blocks += ({"kind": "text", "text": f"##{{{{{name}}}}}"} for name in event.notes)
    if words.button is not None:
        blocks.append({"kind": "button", "text": words.button, "link": "##{{url}}"})
    if words.after is not None:
        blocks.append({"kind": "text", "text": words.after})
    return {"subject": words.subject, "preheader": words.preheader, "language": language, "blocks": blocks}


def _text_of(event: TemplateEvent, words: EventWords) -> str:
    """A text: its words, and the notes on lines of their own."""
    return "\n".join([words.sms, *(f"##{{{{{name}}}}}" for name in event.notes)])


def _variable(about: EventVariable, *, required: bool) -> Variable:
    return Variable(about.type, required, None, about.example, _texts_of_refunds() if about.has_cases else None)


@cache
def _texts_of_refunds() -> Mapping[str, Mapping[str, str]]:
    """What becomes of the money, by how it was paid and by language."""
    kinds = _words(LAST_RESORT).refunds
    return {kind: {language: _words(language).refunds[kind] for language in LANGUAGES} for kind in kinds}


@cache
def _events() -> _Events:
    return json.decode(_read("events"), type=_Events)


@cache
def _words(language: str) -> _Words:
    return json.decode(_read(language), type=_Words)


def _read(name: str) -> bytes:
    with open(f"{_FOLDER}/{name}.json", "rb", 0) as file:  # noqa: PTH123 - a third of the time
        return file.read()
