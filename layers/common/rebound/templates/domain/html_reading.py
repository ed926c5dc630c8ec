"""Reading an email's HTML as a browser does: which of it is a tag, a comment or text, and what of it can be seen.

Follows the tokenizer of the HTML standard (WHATWG, 13.2.5) as far as emails need it, in one pass over any input; the
standard library's parser does not do that for malformed HTML.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum, auto
from functools import lru_cache, partial
from html import unescape
from typing import Final

from msgspec import Struct

from rebound.kernel.written_text import tidied
from rebound.templates.domain.css_reading import StyleSheet, hides, is_for_any_screen, is_sizeless, is_zero


class Kind(Enum):
    """What a piece of HTML is."""

    TEXT = auto()
    START = auto()
    END = auto()
    UNSEEN = auto()
    """A comment, a declaration, or the inside of an element whose content is no markup (``style``, ``title`` …)."""
    UNCLOSED = auto()
    """Something that never ends, so that all that follows it is swallowed."""


class Attribute(Struct, frozen=True, gc=False):
    """An attribute of a tag: its name in lower case, and where its value stands; ``quote`` is empty without quotes."""

    name: str
    start: int
    end: int
    quote: str


class Piece(Struct, frozen=True, gc=False):
    """A piece of HTML: where it stands, and for tags their name in lower case and their attributes."""

    kind: Kind
    start: int
    end: int
    name: str = ""
    attributes: tuple[Attribute, ...] = ()


_COMMENT_ENDS: Final = re.compile(r"--!?>")
_SIMPLE_TAG: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)>")
_TAG_NAME: Final = re.compile(r"</?([a-zA-Z][^\s/>]*)")
_BETWEEN: Final = re.compile(r"[\s/]*")
_ATTRIBUTE_NAME: Final = re.compile(r"=?[^\s/>=]*")
_EQUALS: Final = re.compile(r"\s*=\s*")
_UNQUOTED: Final = re.compile(r"[^\s>]*")
_NO_MARKUP: Final = frozenset({"style", "script", "title", "textarea", "xmp", "iframe", "noembed", "noframes"})
_VOID: Final = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_OF_HEAD: Final = frozenset(
    {"head", "html", "base", "link", "meta", "noscript", "script", "style", "template", "title"}
)
BLOCKS: Final = frozenset(
    {
        *("address", "article", "aside", "blockquote", "body", "br", "caption", "center", "dd", "details", "div", "dl"),
        *("dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "li", "main", "nav", "ol"),
        *("option", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul"),
        *(f"h{level}" for level in range(1, 7)),
    }
)
"""Elements that begin a line of their own."""
_CLOSED_BY: Final = {"li": {"li"}, "tr": {"tr"}, "td": {"td", "th", "tr"}, "th": {"td", "th", "tr"}, "a": {"a"}}
"""The starting tags that end an element that has no end tag of its own."""
_UNSEEN_ELEMENTS: Final = frozenset({"head", "template"})
_SPECKS: Final = frozenset({"0", "1", "0px", "1px"})
"""Widths and heights of an image that nobody sees, if it has both."""


@lru_cache(maxsize=2)
def pieces(source: str) -> Sequence[Piece]:
    """All pieces of an email, one after the other without gaps; kept for the next who asks about the same email."""
    return tuple(read(source, 0, len(source)))


def read(source: str, begins: int, size: int) -> Iterator[Piece]:
    """The pieces of a part of an email: from ``begins`` up to ``size``."""
    at, text_from = begins, begins
    while (at := source.find("<", at, size)) >= 0:
        piece = _markup(source, at, size)
        if piece is None:
            at += 1
            continue
        if text_from < at:
            yield Piece(Kind.TEXT, text_from, at)
        yield piece
        at = piece.end
        if piece.kind is Kind.START and piece.name in _NO_MARKUP:
            over = re.compile(rf"</{piece.name}(?=[\s/>])", re.IGNORECASE).search(source, at, size)
            inside = Piece(Kind.UNSEEN if over else Kind.UNCLOSED, at, over.start() if over else size, piece.name)
            yield inside
            at = inside.end
        text_from = at
    if text_from < size:
        yield Piece(Kind.TEXT, text_from, size)


def _markup(source: str, at: int, size: int) -> Piece | None:
    """The piece that begins with the ``<`` at a place; ``None`` where that is only a character."""
    simple = _SIMPLE_TAG.match(source, at, size)
    if simple is not None:
        return Piece(Kind.END if simple[1] else Kind.START, at, simple.end(), simple[2].lower())
    following = source[at + 1 : at + 3]
    if source.startswith("<!--", at):
        if source.startswith((">", "->"), at + 4):
            return Piece(Kind.UNSEEN, at, source.index(">", at) + 1)
        ends = _COMMENT_ENDS.search(source, at + 4, size)
        return Piece(Kind.UNSEEN, at, ends.end()) if ends else Piece(Kind.UNCLOSED, at, size)
    if following[:1] in {"!", "?"} or (following[:1] == "/" and not following[1:].isalpha()):
        ends_at = source.find(">", at, size)
        return Piece(Kind.UNSEEN, at, ends_at + 1) if ends_at >= 0 else Piece(Kind.UNCLOSED, at, size)
    name = _TAG_NAME.match(source, at, size)
    return None if name is None else _tag(source, (at, size), name[1].lower(), name.end())


def _tag(source: str, span: tuple[int, int], name: str, at: int) -> Piece:
    """The tag that begins the span, read from behind its name on."""
    (start, size), attributes = span, list[Attribute]()
    while True:
        at = _end(_BETWEEN, source, at, size)
        if at >= size:
            return Piece(Kind.UNCLOSED, start, size)
        if source[at] == ">":
            kind = Kind.END if source[start + 1] == "/" else Kind.START
            return Piece(kind, start, at + 1, name, tuple(attributes))
        named_from, at = at, _end(_ATTRIBUTE_NAME, source, at, size)
        attribute = partial(Attribute, source[named_from:at].lower())
        equals = _EQUALS.match(source, at, size)
        if equals is None:
            attributes.append(attribute(at, at, ""))
            continue
        at = equals.end()
        quote = source[at : at + 1]
        if quote in {'"', "'"}:
            closes = source.find(quote, at + 1, size)
            if closes < 0:
                return Piece(Kind.UNCLOSED, start, size)
            attributes.append(attribute(at + 1, closes, quote))
            at = closes + 1
        else:
            until = _end(_UNQUOTED, source, at, size)
            attributes.append(attribute(at, until, ""))
            at = until


def _end(pattern: re.Pattern[str], source: str, at: int, size: int) -> int:
    """Where a pattern that matches anywhere, if only nothing, stops matching."""
    found = pattern.match(source, at, size)
    return at if found is None else found.end()


class _Open(Struct, frozen=True, gc=False):
    """An element that has not ended: where it began, and whether it hides what is in it."""

    name: str
    start: int
    hides: bool
    tiny: bool
    """Whether text in it has no size; an element further in may give it one."""
    around: frozenset[str]
    """What a selector may say of it and of all elements around it."""


class Visible:
    """Follows the pieces of an email and knows at each whether it can be seen, by its elements and all their styles."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._sheet = _sheet_of(source)
        self._open: list[_Open] = []
        self._names: Counter[str] = Counter()
        self._hiding: list[int] = []

    @property
    def here(self) -> bool:
        """Whether text at this place can be seen."""
        return self.anything_here and not (self._open and self._open[-1].tiny)

    @property
    def anything_here(self) -> bool:
        """Whether an image could be seen at this place, which needs no size of letters."""
        return not self._hiding

    @property
    def hidden_since(self) -> int | None:
        """Where the outermost of the elements that hide this place begins; ``None`` where nothing hides it."""
        if self.here:
            return None
        return self._hiding[0] if self._hiding else next(each.start for each in self._open if each.tiny)

    def shows(self, image: Piece) -> bool:
        """Whether an image at this place can be seen."""
        if not self.anything_here:
            return False
        style = self._style_of(image, _known_as(self._source, image))
        sizes = {style.get(name) or self._value_of(image, name).strip().lower() for name in ("width", "height")}
        return not (_hides(image, style) or any(map(is_zero, sizes)) or sizes <= _SPECKS)

    def pass_by(self, piece: Piece) -> None:
        """Go on behind a piece."""
        if piece.kind is Kind.START:
            self._begin(piece)
        elif piece.kind is Kind.END:
            self._end(piece.name)
        elif piece.kind is Kind.TEXT and self._names["head"] and self._source[piece.start : piece.end].strip():
            self._end("head")

    def _begin(self, piece: Piece) -> None:
        name = piece.name
        if name not in _OF_HEAD:
            self._end("head")
        if name in BLOCKS and name != "br":
            self._end("p")
        while self._open and name in _CLOSED_BY.get(self._open[-1].name, ()):
            self._pop()
        if name in _VOID:
            return
        known_as = _known_as(self._source, piece)
        style = self._style_of(piece, known_as)
        tiny = is_sizeless(style, parent=bool(self._open) and self._open[-1].tiny)
        hiding = name not in {"html", "body"} and (name in _UNSEEN_ELEMENTS or _hides(piece, style))
        self._open.append(_Open(name, piece.start, hiding, tiny, self._around | known_as))
        self._names[name] += 1
        if hiding:
            self._hiding.append(piece.start)

    def _style_of(self, piece: Piece, known_as: frozenset[str]) -> Mapping[str, str]:
        if not piece.attributes and not self._sheet:
            return {}
        return self._sheet.style_of(known_as, self._around, self._value_of(piece, "style"))

    @property
    def _around(self) -> frozenset[str]:
        return self._open[-1].around if self._open and self._sheet else frozenset()

    def _value_of(self, piece: Piece, name: str) -> str:
        return value_of(self._source, piece, name) or ""

    def _end(self, name: str) -> None:
        """End an element and all that is open in it; an end tag without a beginning ends nothing."""
        if self._names[name]:
            while self._pop() != name:
                pass

    def _pop(self) -> str:
        last = self._open.pop()
        self._names[last.name] -= 1
        if last.hides:
            self._hiding.pop()
        return last.name


def value_of(source: str, piece: Piece, name: str) -> str | None:
    """The value of a tag's attribute as it stands there; the first counts."""
    for attribute in piece.attributes:
        if attribute.name == name:
            return source[attribute.start : attribute.end]
    return None


@lru_cache(maxsize=2)
def _sheet_of(source: str) -> StyleSheet:
    """The style sheets of an email, wherever they stand in it."""
    sheets, applies = list[str](), False
    for piece in pieces(source):
        if piece.kind is Kind.START and piece.name == "style":
            applies = is_for_any_screen(value_of(source, piece, "media"))
        elif piece.kind is Kind.UNSEEN and piece.name == "style" and applies:
            sheets.append(source[piece.start : piece.end])
    return StyleSheet(sheets)


def _known_as(source: str, piece: Piece) -> frozenset[str]:
    """What a selector may say of an element."""
    if not piece.attributes:
        return frozenset((piece.name,))
    classes = unescape(value_of(source, piece, "class") or "").lower().split()
    identity = unescape(value_of(source, piece, "id") or "").strip().lower()
    return frozenset((piece.name, *(f".{each}" for each in classes), *((f"#{identity}",) if identity else ())))


def _hides(piece: Piece, style: Mapping[str, str]) -> bool:
    return any(attribute.name == "hidden" for attribute in piece.attributes) or hides(style)


FOOTER_PLACE: Final = "<!-- rebound:footer -->"
"""Where this comment stands, and text could be seen, the footer goes, rather than at the end."""


class Reading(Struct, frozen=True):
    """What a footer must know of an email: its visible ``text``, its ``links``, and where a footer can be seen.

    ``links`` is the text with the addresses of those links that have something visible in them to press.
    """

    text: str
    links: str
    end: int


def read_for_footer(source: str) -> Reading:
    """Read an email's HTML.

    Its end is the last ``FOOTER_PLACE``, or else ``</body>`` or ``</html>``, or before what hides that place.
    """
    visible, text, hrefs = Visible(source), list[str](), list[str]()
    ends: dict[str, int] = {}
    end, href, before, chosen = len(source), "", 0, None
    for piece in pieces(source):
        hidden_since = visible.hidden_since
        place = piece.start if hidden_since is None else hidden_since
        visible.pass_by(piece)
        if piece.kind is Kind.END and piece.name in {"body", "html"}:
            ends[piece.name] = place
        elif (
            piece.kind is Kind.UNSEEN
            # What is in a style sheet or a title is no comment.
            and not piece.name
            and hidden_since is None
            and source.startswith(FOOTER_PLACE, piece.start)
        ):
            chosen = piece.start
        elif piece.kind is Kind.UNCLOSED:
            # A style sheet that never ends has swallowed what follows its starting tag.
            end = before if piece.name else place
        before = place
        if piece.kind in {Kind.START, Kind.END} and piece.name == "a":
            href = _href(source, piece) if visible.anything_here and piece.kind is Kind.START else ""
        is_image = piece.kind is Kind.START and piece.name == "img"
        shown = source[piece.start : piece.end] if piece.kind is Kind.TEXT and visible.here else ""
        if href and (tidied(unescape(shown)) or (is_image and visible.shows(piece))):
            hrefs.append(href)
            href = ""
        text.append(shown)
    if visible.hidden_since is not None:
        end = min(end, visible.hidden_since)
    seen = "".join(text)
    at_end = ends.get("body", ends.get("html", end))
    return Reading(seen, "\n".join([seen, *hrefs]), at_end if chosen is None else chosen)


def _href(source: str, piece: Piece) -> str:
    return value_of(source, piece, "href") or ""
