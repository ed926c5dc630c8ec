"""What of an email its styles hide: those that a tag has itself, and the style sheets in the same email.

Follows CSS (Syntax Level 3, Cascading and Inheritance Level 4) as far as emails need it. A sheet counts if it does on
any screen; what it hides on paper or on small screens alone is seen by others. Of selectors those are read that name
tags, classes and ids, one somewhere within others. What is merely small, or has the colour of its background, counts as
seen.
"""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from itertools import islice
from typing import Final

from msgspec import Struct

_COMMENT: Final = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_DECLARATION: Final = re.compile(r"""(?:[^;"'(]++|"[^"]*"|'[^']*'|\([^()]*\)|["'(])++""")
"""A semicolon in quotes or brackets ends none."""
_ESCAPE: Final = re.compile(r"\\(?:([0-9a-fA-F]{1,6})\s?|([^\n]))")
_IMPORTANT: Final = re.compile(r"!\s*important\s*$")
_OF_HTML: Final = re.compile("<!--|-->")
_BRACKETS: Final = re.compile("[{};]")
_ANY_SCREEN: Final = re.compile(r"\s*(?:only\s+)?(?:all|screen)?\s*")
_COMPOUND: Final = re.compile(r"(?:\*|[a-z][\w-]*)?(?:[.#][\w-]+)*")
_PART: Final = re.compile(r"[.#]?[\w-]+")
_WITHIN: Final = re.compile(r"\s*>\s*|\s+")

_MOST_RULES: Final = 500
"""That may hide something; few emails have a tenth of them, and what others hide counts as seen."""

_ZERO: Final = re.compile(r"[-+]?0*\.?0*(?:[a-z]+|%)?")
_FAR_AWAY: Final = re.compile(r"-[0-9]{3,}(?:\.[0-9]+)?(?:px|em|rem|pt|%)?")
_FONT_SIZE: Final = re.compile(r"(?:^|\s)([0-9.]+(?:[a-z]+|%)|0+)(?=[\s/]|$)")
_OF_PARENT: Final = re.compile(r"[0-9.]+(?:em|ex|ch|%)|inherit|unset|smaller|larger")
_CUT_AWAY: Final = {
    "clip": re.compile(r"rect\(\s*(?:[01](?:px)?[\s,]*){4}\)"),
    "clip-path": re.compile(r"inset\(\s*(?:[5-9][0-9]|100)%.*\)|circle\(\s*0\D.*\)"),
    "transform": re.compile(r".*\bscale[xy]?\(\s*0(?:\.0+)?\s*[,)].*"),
}
_LENGTHS: Final = ("max-height", "max-width", "opacity")
_PLACES: Final = ("left", "top", "text-indent", "margin-left")
_READ: Final = frozenset(
    {
        *("display", "visibility", "content-visibility", "overflow", "height", "width", "font", "font-size"),
        *(*_LENGTHS, *_PLACES, *_CUT_AWAY),
    }
)


class _Declaration(Struct, frozen=True, gc=False):
    name: str
    value: str
    important: bool


class _Rule(Struct, frozen=True, gc=False):
    """One selector, and what the element that it is about gets."""

    element: frozenset[str]
    around: frozenset[str]
    """What it asks for of the elements around, whichever has it."""
    declarations: Sequence[_Declaration]
    weight: tuple[int, int, int, int]
    """Ids, classes, tags (CSS: specificity), and which of all rules it is."""


class StyleSheet:
    """The rules of all sheets of an email, as far as they may hide something.

    An element is the set of what selectors may say of it, in lower case: ``{"p", ".legal", "#footer"}``.
    """

    def __init__(self, sources: Sequence[str] = ()) -> None:
        self._rules: dict[str, list[_Rule]] = {}
        for rule in islice(_rules(sources), _MOST_RULES):
            # A rule is looked up by one of the words that its element must have.
            self._rules.setdefault(min(rule.element, default=""), []).append(rule)

    def __bool__(self) -> bool:
        """Whether it may hide anything."""
        return bool(self._rules)

    def style_of(self, element: frozenset[str], around: frozenset[str], own: str | None) -> Mapping[str, str]:
        """The declarations that win for an element, in lower case.

        ``around`` is what may be said of all elements around it, ``own`` is what its tag has as ``style``.
        """
        rules = [rule for word in (*element, "") for rule in self._rules.get(word, ())]
        matching = [rule for rule in rules if rule.element <= element and rule.around <= around]
        declarations = [each for rule in sorted(matching, key=lambda rule: rule.weight) for each in rule.declarations]
        if own:
            declarations += _declarations(unescape(own))
        style: dict[str, str] = {}
        for declaration in sorted(declarations, key=lambda each: each.important):
            if declaration.name == "font":
                style.pop("font-size", None)
            style[declaration.name] = declaration.value
        return style


def hides(style: Mapping[str, str]) -> bool:
    """Whether an element of such a style cannot be seen, nor what is in it."""
    return bool(style) and (
        style.get("display") == "none"
        or style.get("visibility") in {"hidden", "collapse"}
        or style.get("content-visibility") == "hidden"
        or any(is_zero(style.get(name)) for name in _LENGTHS)
        or any(_FAR_AWAY.fullmatch(style.get(name, "")) for name in _PLACES)
        or any(pattern.fullmatch(style.get(name, "")) for name, pattern in _CUT_AWAY.items())
        or (style.get("overflow") == "hidden" and any(is_zero(style.get(name)) for name in ("height", "width")))
    )


def is_sizeless(style: Mapping[str, str], *, parent: bool) -> bool:
    """Whether text of such a style has no size, within a ``parent`` whose text has none or has one."""
    size = style.get("font-size")
    if size is None:
        shorthand = _FONT_SIZE.search(style.get("font", ""))
        size = None if shorthand is None else shorthand[1]
    if size is None or (_OF_PARENT.fullmatch(size) and not is_zero(size)):
        return parent
    return is_zero(size)


def is_zero(value: str | None) -> bool:
    """Whether a length or a share is nothing."""
    return value is not None and any(map(str.isdigit, value)) and _ZERO.fullmatch(value) is not None


def is_for_any_screen(media: str | None) -> bool:
    """Whether what is said for some media holds wherever an email is read on a screen."""
    return media is None or any(_ANY_SCREEN.fullmatch(each.lower()) for each in media.split(","))


def _declarations(style: str) -> Iterator[_Declaration]:
    for written in _DECLARATION.findall(_COMMENT.sub("", style)):
        name, colon, value = _ESCAPE.sub(_unescaped, written).lower().partition(":")
        if colon and name.strip() in _READ:
            plain = _IMPORTANT.sub("", value)
            yield _Declaration(name.strip(), plain.strip(), plain != value)


def _unescaped(escape: re.Match[str]) -> str:
    if escape[1] is None:
        return escape[2]
    number = int(escape[1], 16)
    return chr(number) if 0 < number <= sys.maxunicode else "\N{REPLACEMENT CHARACTER}"


def _rules(sources: Sequence[str]) -> Iterator[_Rule]:
    number = 0
    for source in sources:
        for selectors, body in _blocks(_OF_HTML.sub(" ", _COMMENT.sub("", source))):
            declarations = tuple(_declarations(body))
            for selector in selectors.lower().split(",") if declarations else ():
                compounds = _WITHIN.split(selector.strip())
                if all(each and _COMPOUND.fullmatch(each) for each in compounds):
                    parts = [_PART.findall(each) for each in compounds]
                    every = [part[0] for each in parts for part in each]
                    ids, classes = every.count("#"), every.count(".")
                    weight = (ids, classes, len(every) - ids - classes, number)
                    around = frozenset(part for each in parts[:-1] for part in each)
                    yield _Rule(frozenset(parts[-1]), around, declarations, weight)
                    number += 1


def _blocks(source: str) -> Iterator[tuple[str, str]]:
    """The rules that hold on any screen: what stands before the brackets of each, and within."""
    around: list[str] = []
    begins = 0
    for bracket in _BRACKETS.finditer(source):
        written = source[begins : bracket.start()].strip()
        if bracket[0] == ";" and around and not around[-1].startswith("@"):
            continue
        begins = bracket.end()
        if bracket[0] == "{":
            around.append(written)
        elif bracket[0] == "}" and around:
            before = around.pop()
            if not before.startswith("@") and all(map(_is_open, around)):
                yield before, written


def _is_open(at_rule: str) -> bool:
    """Whether the rules within an at-rule hold on any screen."""
    name, _, media = at_rule.partition(" ")
    return name.lower() == "@media" and is_for_any_screen(media)
