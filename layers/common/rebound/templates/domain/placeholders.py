"""Placeholders, ``##{{first_name}}``: found as editors leave them, refused where they cannot work, filled in safely.

A value goes in as text, encoded by where it stands: escaped in HTML, percent-encoded within a link, on one line in a
header. It is never read as a template itself. A placeholder that is the whole address of a link is an address itself.
"""

import html
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import replace
from functools import partial
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from rebound.kernel.placeholders import PLACEHOLDER, TAGS, as_it_was, is_bare, mended
from rebound.kernel.written_text import is_blank
from rebound.templates.domain.address_places import ADDRESSES, address_around, in_css
from rebound.templates.domain.html_as_text import unescaped
from rebound.templates.domain.html_reading import Attribute, Kind, Piece, pieces, read, value_of

_INVISIBLE: Final = re.compile("[\u00ad\u034f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0e\ufe0f\ufeff]")
_COLON: Final = r"(?::|&colon;|&\#0*58;|&\#x0*3a;|%(?:25)*3A)"
_SLASH: Final = r"(?:[/\\]|&sol;|&\#0*47;|&\#x0*2f;|%(?:25)*2F)"
_DOUBLED: Final = re.compile(rf"(?:(?:https?|mailto){_COLON}{_SLASH}{{0,3}}(?:www\.)?\s*)+$", re.IGNORECASE)
_RELATIVE: Final = re.compile(r"""(?<=["'=\s(])(?:\.{0,2}/)+$""")
"""What an editor makes of an address that it takes for one of its own site."""
_LOOKED_BACK: Final = 200
FOR_OUTLOOK: Final = "<!--[if"
"""How a comment begins that is none for Outlook."""


class Flaw(Struct, frozen=True):
    """What is wrong with a field of a content, as a sentence for people, and in which line.

    ``did_you_mean`` is the variable that was probably meant, without its braces.
    """

    message: str
    line: int | None = None
    did_you_mean: str | None = None

    def __str__(self) -> str:
        return self.message if self.line is None else f"Line {self.line}: {self.message}"


def repaired(source: str, links: Sequence[str], *, is_html: bool) -> str:
    """The template with each placeholder as it was before an editor mangled it.

    ``links`` are the variables whose value is a whole address: a scheme that was put before one goes. Tags within the
    braces go before the placeholder, or away where the placeholder is in a tag itself.
    """
    if is_bare(source):
        return source
    tags = tag_places(source) if is_html and TAGS.search(source) else Places([])

    def written(found: re.Match[str]) -> str:
        within = "" if not is_html or tags.have(found.start()) else "".join(TAGS.findall(found[0]))
        return f"{within}{as_it_was(found)}"

    return _with_whole_addresses(mended(source, written), links)


def _with_whole_addresses(source: str, links: Sequence[str]) -> str:
    kept: list[str] = []
    at = 0
    for found in PLACEHOLDER.finditer(source):
        if found[1] not in links:
            continue
        before = source[at : found.start()]
        near = before[-_LOOKED_BACK:]
        cut = _DOUBLED.search(near) or _RELATIVE.search(near)
        kept += [before[: len(before) - len(near) + cut.start()] if cut else before, found[0]]
        at = found.end()
    return "".join([*kept, source[at:]])


class Places:
    """Spans of a text in their order, to be asked which places are in one."""

    def __init__(self, spans: list[tuple[int, int]]) -> None:
        self._starts = [start for start, _ in spans]
        self._ends = [end for _, end in spans]

    def have(self, place: int) -> bool:
        """Whether a place is in one of the spans."""
        number = bisect_right(self._starts, place) - 1
        return number >= 0 and place < self._ends[number]


def tag_places(source: str) -> Places:
    """Where the tags of an HTML text are."""
    return Places([(p.start, p.end) for p in pieces(source) if p.kind in {Kind.START, Kind.END}])


def line_of(source: str, place: int) -> int:
    """The line of a place in a text, from 1 on."""
    return source.count("\n", 0, place) + 1


# --- where a placeholder stands ---------------------------------------------------------------------------------------

Encode = Callable[[str], str]
_SCHEME: Final = re.compile(r"\s*([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_BEGINS_A_LINK: Final = re.compile(r"https?://|mailto:|tel:|sms:|www\.|##\{\{\w+_url\}\}", re.IGNORECASE)
"""Also a variable that is a whole address, which more may follow."""
_ENDS_A_LINK: Final = re.compile(r"""[\s<>"]""")
_MARKS_OF_LINKS: Final = (":", "www.", "_url}}")
"""One of which every link has, and few texts before a placeholder."""
_LONGEST_LINK: Final = 2_000
"""Characters of one that are read back."""
_KEPT_OF_OTHERS: Final = {"mailto": "@", "tel": "+", "sms": "+"}
"""What an address with such a scheme is written with, before its query."""
_IN_AN_ADDRESS: Final = "/:?#[]@!$&*+;=%"
"""What a whole address may have where it is a part of something else; others would end it there."""


_BREAKS_BEFORE: Final = re.compile(r"(?:\r?\n[ \t]*)+\Z")
_ENDS_A_LINE: Final = re.compile(r"[ \t]*(?:\r?\n|\Z)")


class Slot(Struct, frozen=True):
    """A placeholder in a template: its place, its name, and what of its link stands before and after it.

    ``before`` is ``None`` where it is not in a link. ``attribute`` is that in whose value it stands; ``misplaced`` says
    that it stands within a tag but in no value. ``is_part`` says that its link is a part of a value with more in it,
    ``in_sheet`` that this is a style sheet, in which HTML's character references are not read, ``in_text`` that it
    stands in a text of HTML, ``in_link`` that this is within a link.
    """

    start: int
    end: int
    name: str
    before: str | None = None
    after: str = ""
    attribute: Attribute | None = None
    misplaced: bool = False
    is_part: bool = False
    in_sheet: bool = False
    in_text: bool = False
    in_link: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether the placeholder is the whole address of its link."""
        return self.before is not None and not _seen(self.before) and not _seen(self.after)

    def flaw(self, source: str, links: Sequence[str]) -> Flaw | None:
        """Why nothing sensible can stand here."""
        line, written = line_of(source, self.start), f"##{{{{{self.name}}}}}"
        if self.misplaced:
            return Flaw(
                f'{written} stands within a tag, but in no value of an attribute: write name="{written}".', line
            )
        before, after = _seen(self.before or ""), _seen(self.after)
        if self.name not in links or "?" in before or "#" in before:
            return None
        if after.strip("/") and not after.startswith(("?", "#")):
            return Flaw(f"{written} is a whole address, and here {after[:60]!r} follows it: take that away.", line)
        if before:
            message = f"{written} is a whole address, and here it follows {before[-60:]!r}: take that away."
            return Flaw(message, line)
        return None

    def encode(self, links: Sequence[str]) -> Encode:
        """How a value goes in here, apart from what HTML asks for."""
        if self.before is None:
            return str
        before = _seen(self.before)
        if self.is_whole and not (self.is_part and self.name not in links):
            return str
        if self.is_whole:
            return partial(quote, safe=_IN_AN_ADDRESS, errors="replace")
        if self.name in links and not before:
            # Followed by something, such as a parameter for somebody's statistics.
            return str
        scheme = _SCHEME.match(before)
        kept = _KEPT_OF_OTHERS.get(scheme[1].lower(), "") if scheme and "?" not in before else ""
        return partial(quote, safe=kept, errors="replace")


def _seen(text: str) -> str:
    """A part of an address without what nobody sees and white space around it."""
    return _INVISIBLE.sub("", text).strip()


def slots_of(source: str, *, is_html: bool) -> Iterator[Slot]:
    """The placeholders of a template in their order, each with where it stands."""
    return _html_slots(source) if is_html else _text_slots(source)


def _html_slots(source: str, begins: int = 0, ends: int | None = None) -> Iterator[Slot]:
    """The placeholders of an HTML template in their order, each with where it stands; Outlook reads some comments."""
    in_link = False
    for piece in pieces(source) if ends is None else read(source, begins, ends):
        if piece.name == "a" and piece.kind in {Kind.START, Kind.END}:
            in_link = piece.kind is Kind.START
        if piece.kind is Kind.UNSEEN and source.startswith(FOR_OUTLOOK, piece.start):
            yield from _html_slots(source, piece.start + len(FOR_OUTLOOK), piece.end)
            continue
        for found in PLACEHOLDER.finditer(source, piece.start, piece.end):
            if piece.kind is Kind.TEXT:
                yield replace(_in_text(source, found, piece.start, as_html=True), in_text=True, in_link=in_link)
            elif piece.kind in {Kind.START, Kind.END}:
                yield _in_tag(source, found, piece)
            elif piece.name == "style":
                yield _in_sheet(source, found, piece)
            else:
                yield Slot(found.start(), found.end(), found[1])


def _in_sheet(source: str, found: re.Match[str], piece: Piece) -> Slot:
    around = in_css(source[piece.start : found.start()], source[found.end() : piece.end])
    if around is None:
        return Slot(found.start(), found.end(), found[1])
    return Slot(found.start(), found.end(), found[1], *around, is_part=True, in_sheet=True)


def _in_tag(source: str, found: re.Match[str], piece: Piece) -> Slot:
    start, end, name = found.start(), found.end(), found[1]
    for attribute in piece.attributes:
        if attribute.start <= start and end <= attribute.end and attribute.start < attribute.end:
            before, after = unescaped(source[attribute.start : start]), unescaped(source[end : attribute.end])
            refreshes = piece.name == "meta" and (value_of(source, piece, "http-equiv") or "").lower() == "refresh"
            around = address_around(attribute.name, before, after, refreshes=refreshes)
            if around is None:
                return Slot(start, end, name, attribute=attribute)
            return Slot(start, end, name, *around, attribute, is_part=attribute.name not in ADDRESSES)
    return Slot(start, end, name, misplaced=True)


def _text_slots(source: str) -> Iterator[Slot]:
    """The placeholders of a plain text in their order."""
    for found in PLACEHOLDER.finditer(source):
        yield _in_text(source, found, 0, as_html=False)


def _in_text(source: str, found: re.Match[str], begins: int, *, as_html: bool) -> Slot:
    """A placeholder in text, which is in a link where an address stands right before it."""
    near = source[max(begins, found.start() - _LONGEST_LINK) : found.start()]
    near = html.unescape(near) if as_html else near
    run = _ENDS_A_LINK.split(near)[-1] if any(mark in near.lower() for mark in _MARKS_OF_LINKS) else ""
    link = _BEGINS_A_LINK.search(run)
    if link is None or (link[0].startswith("##") and found[1].endswith("_url")):
        return Slot(found.start(), found.end(), found[1])
    return Slot(found.start(), found.end(), found[1], run[link.start() :])


# --- filling in -------------------------------------------------------------------------------------------------------


_LINE_BREAKS: Final = re.compile(r"\r\n|\r|\n")
_FULL_STOP: Final = re.compile(r"\.(?=[\s<)]|$)")
"""What ends a sentence, as the value before it does already: ``p.m.``, ``Inc.``."""
_SIDE_BY_SIDE: Final = re.compile(r"\{(?=\{)")


class Template(Struct, frozen=True):
    """A template that is ready to be filled in: literal text, and the names of values with how each is encoded.

    What is filled in never has two opening braces side by side, which look like a placeholder that nobody filled in: a
    space comes between, in a value as well. Style sheets mean the same with it. A value that ends in a full stop ends
    the sentence: no second one follows it.
    """

    parts: tuple[str | tuple[str, Encode], ...]

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with values in the placeholders' places."""
        filled = [part if isinstance(part, str) else part[1](values[part[0]]) for part in self.parts]
        text = "".join(filled)
        if ".." in text:
            # Only here may a value end as the sentence does.
            text = "".join(self._with_one_full_stop(filled))
        return _SIDE_BY_SIDE.sub("{ ", text) if "{{" in text else text

    def _with_one_full_stop(self, filled: Sequence[str]) -> Iterator[str]:
        before = ""
        for part, said in zip(self.parts, filled, strict=True):
            ends = isinstance(part, str) and before.endswith(".") and _FULL_STOP.match(said)
            yield said[1:] if ends else said
            before = "" if isinstance(part, str) else said


def header_template(source: str, encode: Encode) -> Template:
    """A line of a header; ``encode`` keeps values on the line."""
    return _template(source, [(Slot(f.start(), f.end(), f[1]), encode) for f in PLACEHOLDER.finditer(source)], str)


def text_template(source: str, links: Sequence[str]) -> Template:
    """A plain text; a line that is nothing but a placeholder is left out where that says nothing."""
    return _template(source, [(slot, slot.encode(links)) for slot in _text_slots(source)], str, by_lines=True)


def text_as_html_template(source: str, links: Sequence[str], as_html: Encode) -> Template:
    """A plain text that ``as_html`` writes as HTML, in which our own links can be pressed."""
    slots = [
        (slot, _pressed if slot.name in links and slot.before is None else partial(_both, slot.encode(links), as_html))
        for slot in _text_slots(source)
    ]
    return _template(source, slots, as_html, by_lines=True)


def html_template(source: str, links: Sequence[str]) -> Template:
    """An HTML text. A value without quotes gets them, so that what is filled in cannot end it."""
    slots, parts, at = list(_html_slots(source)), list[str | tuple[str, Encode]](), 0
    for number, slot in enumerate(slots):
        if slot.is_whole and not slot.is_part and slot.attribute is not None and slot.attribute.quote:
            # What nobody sees around an address would be a part of it.
            parts += [source[at : slot.attribute.start], (slot.name, html.escape)]
            at = slot.attribute.end
            continue
        bare = slot.attribute if slot.attribute is not None and not slot.attribute.quote else None
        opens = bare is not None and (number == 0 or slots[number - 1].attribute is not bare)
        literal = source[at : slot.start]
        if bare is not None and opens:
            literal = f'{source[at : bare.start]}"{_quotable(source[bare.start : slot.start])}'
        elif bare is not None:
            literal = _quotable(literal)
        parts += [literal, (slot.name, _encode_in_html(slot, links))]
        at = slot.end
        if bare is not None and (number + 1 == len(slots) or slots[number + 1].attribute is not bare):
            parts.append(_quotable(source[at : bare.end]) + '"')
            at = bare.end
    return Template((*parts, source[at:]))


def _encode_in_html(slot: Slot, links: Sequence[str]) -> Encode:
    if slot.in_sheet:
        return slot.encode(links)
    if not slot.in_text or slot.before is not None:
        return partial(_both, slot.encode(links), html.escape)
    return _pressed if slot.name in links and not slot.in_link else _in_lines


def _in_lines(value: str) -> str:
    """A text as HTML that breaks where the text does."""
    escaped = html.escape(value)
    return _LINE_BREAKS.sub("<br>", escaped) if "\n" in escaped or "\r" in escaped else escaped


def _template(
    source: str, slots: Sequence[tuple[Slot, Encode]], literally: Encode, *, by_lines: bool = False
) -> Template:
    parts, at = list[str | tuple[str, Encode]](), 0
    for slot, encode in slots:
        literal = source[at : slot.start]
        breaks = _BREAKS_BEFORE.search(literal) if by_lines and _ENDS_A_LINE.match(source, slot.end) else None
        if breaks is not None:
            literal, encode = literal[: breaks.start()], partial(_on_a_line, literally(breaks[0]), encode)  # noqa: PLW2901
        parts += [literally(literal), (slot.name, encode)]
        at = slot.end
    return Template((*parts, literally(source[at:])))


def _on_a_line(breaks: str, encode: Encode, value: str) -> str:
    """A value with the breaks before it, or nothing at all."""
    return "" if is_blank(value) else breaks + encode(value)


def _pressed(address: str) -> str:
    return f'<a href="{html.escape(address)}">{html.escape(address)}</a>'


def _both(first: Encode, second: Encode, value: str) -> str:
    return second(first(value))


def _quotable(value: str) -> str:
    return value.replace('"', "&quot;")
