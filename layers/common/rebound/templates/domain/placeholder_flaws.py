"""What in a template nobody could fill in, or would reach the customer as it stands: refused when it is posted."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from rebound.kernel.nearest import nearest
from rebound.kernel.placeholders import PLACEHOLDER, TAG, UNSEEN, WITHOUT_HASHES, compiled, name_in
from rebound.templates.domain.html_as_text import html_as_text
from rebound.templates.domain.html_reading import Kind, pieces
from rebound.templates.domain.placeholders import FOR_OUTLOOK, Flaw, Places, line_of, slots_of, tag_places

MAX_NAMED: Final = 10
"""Placeholders that are named in one answer."""
_NAME: Final = re.compile(r"[^\W\d][\w.-]*(?: [\w.-]+){0,3}")
_OF_A_TEMPLATE_LANGUAGE: Final = re.compile(
    r"\{\{\{?(?:[#/^]\s*\w+\s+|[#/^>&~-]?\s*)(?P<name>[^\W\d][\w.-]*)\s*(?:\|[^{}]{0,200})?~?\}\}"
)
"""``{{name | default: "x"}}``, ``{{#if name}}`` and the like of Handlebars, Liquid and Jinja."""
_LESS_A_BRACE: Final = re.compile(
    r"(?:##)?(?<!\{)(?P<opened>\{{1,2})[ ]?(?P<name>[^\W\d]\w*)[ ]?(?P<closed>\}{1,2})(?!\})"
)
"""Braces of which one is lost, or each with its twin; without ``##`` they mean a placeholder if they have our name."""
_BRACE: Final = r"(?:\{|&\#0*123;|&\#x0*7b;|&l(?:brace|cub);)"
_OPENED: Final = rf"{_BRACE}(?:(?:{TAG}|{UNSEEN}){{0,12}}{_BRACE})+"
_CLOSED: Final = re.compile(r"(?:\}|&\#0*125;|&\#x0*7d;|&r(?:brace|cub);){2}", re.IGNORECASE)
_BEGINS_WITH_A_NAME: Final = re.compile(r"(?:[\s#/^&>~-]|&nbsp;){0,9}([^\W\d]\w*)")
_PERCENT_ENCODED: Final = re.compile(r"%(?:25)*7B", re.IGNORECASE)


def flaws_of(source: str, known: Sequence[str], links: Sequence[str], *, is_html: bool) -> Iterator[Flaw]:
    """What in a repaired template nobody could fill in, or would reach the customer as it stands."""
    names = {found[1]: found.start() for found in reversed(list(PLACEHOLDER.finditer(source)))}
    unknown = [name for name in reversed(names) if name not in known]
    for name in unknown[:MAX_NAMED]:
        meant = nearest(name, known)
        message = f"Unknown variable ##{{{{{name}}}}}; known are {', '.join(known)}.{_hint(meant)}"
        yield Flaw(message, line_of(source, names[name]), meant)
    told: list[tuple[int, int]] = []
    yield from _without_hashes(source, known, told, is_html=is_html)
    yield from _stray_braces(source, known, Places(sorted(told)), is_html=is_html)
    if is_html and ("{" in source or "&" in source):
        made = (found[1] for found in PLACEHOLDER.finditer(html_as_text(source)) if found[1] not in names)
        for name in list(dict.fromkeys(made))[:MAX_NAMED]:
            yield Flaw(f"##{{{{{name}}}}} has something within that nobody sees, a comment or a style: take that away.")
    if not unknown:
        slots = slots_of(source, is_html=is_html)
        yield from (flaw for slot in slots if (flaw := slot.flaw(source, links)) is not None)


def _hint(meant: str | None) -> str:
    return "" if meant is None else f" Did you mean ##{{{{{meant}}}}}?"


def _without_hashes(source: str, known: Sequence[str], told: list[tuple[int, int]], *, is_html: bool) -> Iterator[Flaw]:
    """Names in braces of which something is lost; ``told`` is filled with the places of all of them."""
    named: dict[str, Flaw] = {}
    shapes = (compiled(WITHOUT_HASHES), _OF_A_TEMPLATE_LANGUAGE, _LESS_A_BRACE)
    candidates = [found for shape in shapes for found in shape.finditer(source) if not _is_whole(found)]
    unread = Places(_unread(source) if is_html and candidates else [])
    for found in candidates:
        name = name_in(found)
        if (
            source[max(found.start() - 2, 0) : found.start()] == "##"
            or not _NAME.fullmatch(name)
            or unread.have(found.start())
        ):
            continue
        has_hashes, lacks = found[0].startswith("##"), found.re is _LESS_A_BRACE
        # Braces are data in many an address; a name of ours in them is none.
        if name in known or (has_hashes if lacks else not _PERCENT_ENCODED.match(found[0])):
            written = f"{'##' * has_hashes}{found['opened']}{name}{found['closed']}" if lacks else f"{{{{{name}}}}}"
            message = f"{written} would reach the customer as it stands; a placeholder is ##{{{{{name}}}}}."
            meant = None if name in known else nearest(name, known)
            if name not in known:
                message += f" Known are {', '.join(known)}.{_hint(meant)}"
            told.append(found.span())
            named.setdefault(name, Flaw(message, line_of(source, found.start()), meant))
    yield from list(named.values())[:MAX_NAMED]


def _stray_braces(source: str, known: Sequence[str], told: Places, *, is_html: bool) -> Iterator[Flaw]:
    """Two braces that are opened where somebody would see them, apart from those that are ``told``.

    Those that hold something which is no name are nobody's placeholder, and let be in texts (``Template.fill``).
    """
    opened = [found for found in compiled(_OPENED).finditer(source) if is_html or not found[0].strip("{")]
    if all(_is_placeholder(source, found) for found in opened):
        return
    seen = _without(source, _unread(source)) if is_html else source
    tags = tag_places(source) if is_html else Places([])
    folded = {_in_any_style(name) for name in known}
    left = MAX_NAMED
    for number, found in enumerate(opened):
        end = opened[number + 1].start() if number + 1 < len(opened) else len(source)
        has_hashes = source.endswith("##", 0, found.start())
        if (
            _is_placeholder(source, found)
            or told.have(found.start())
            or (not has_hashes and seen[found.start()] == " ")
        ):
            continue
        closed = _CLOSED.search(seen, found.end(), end)
        begins = _BEGINS_WITH_A_NAME.match(source, found.end())
        if has_hashes:
            message = "Has a placeholder that is not closed, or whose name is too long: ##{{ without }}."
        elif closed is None:
            message = "Has {{ without }}: a placeholder is ##{{name}}, and two braces side by side are nothing else."
        elif begins is not None and _in_any_style(begins[1]) in folded:
            message = f"{{{{{begins[1]} … }}}} would reach the customer as it stands; a placeholder is ##{{{{name}}}}."
        elif found[0].strip("{") or tags.have(found.start()):
            message = "Has {{, in a tag or as an editor writes it, that is no placeholder; a placeholder is ##{{name}}."
        else:
            continue
        yield Flaw(message, line_of(source, found.start()))
        left -= 1
        if not left:
            return


def _without(source: str, spans: Sequence[tuple[int, int]]) -> str:
    """The source with blanks in some spans, which are in their order, and all else at its place."""
    kept, at = list[str](), 0
    for start, end in spans:
        kept += [source[at:start], " " * (end - start)]
        at = end
    return "".join([*kept, source[at:]])


def _is_placeholder(source: str, braces: re.Match[str]) -> bool:
    return (
        source.endswith("##", 0, braces.start()) and PLACEHOLDER.match(source, braces.start() - len("##")) is not None
    )


def _in_any_style(name: str) -> str:
    return name.replace("_", "").casefold()


def _is_whole(found: re.Match[str]) -> bool:
    """Whether no brace is lost: two and two are judged otherwise, and one and one without hashes are text."""
    if found.re is not _LESS_A_BRACE or len(found["opened"]) != len(found["closed"]):
        return False
    return len(found["opened"]) == len("{{") or not found[0].startswith("##")


def _unread(source: str) -> list[tuple[int, int]]:
    """Where braces reach nobody: style sheets, scripts, and comments that are not for Outlook."""
    return [
        (piece.start, piece.end)
        for piece in pieces(source)
        if piece.kind is Kind.UNSEEN
        and (piece.name in {"style", "script"} or (not piece.name and not source.startswith(FOR_OUTLOOK, piece.start)))
    ]
