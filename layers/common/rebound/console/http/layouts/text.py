"""The text of a layout's block as people type it: paragraphs, lists, bold, italics and links in one box.

An empty line begins a paragraph, ``- `` or ``1. `` an entry of a list, whose further lines begin with two blanks;
``**bold**``, ``*italics*``, ``[words](https://…)``. A backslash takes such a sign for itself. What comes from a block,
goes through the box and comes back says the same in the same form, letter by letter; blanks may go to the next span.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

MOST_READ: Final = 20_000
"""Characters of a block's text: what is longer is refused as it stands."""
_ENTRY: Final = re.compile(r"(?:-|([0-9]{1,4})\.)[ \t](.*)", re.DOTALL)
_KEPT_BLANK: Final = re.compile(r"\\[ \t]*")
"""A line of a paragraph on which nothing stands."""
_TOKEN: Final = re.compile(r"\\([\\*\[\].~-])|\*{1,3}|\[|\](?:\(((?:\\.|[^\\()\s])+)\))?")
_SIGNS: Final = re.compile(r"[\\*\[\]]")
_NOTHING: Final = r"\~"
"""Stands for no letter, between signs that would be read together."""
_ESCAPED: Final = re.compile(r"\\([\\*\[\]().~-])")


def typed_of(block: Mapping[str, Any]) -> str:
    """What the box shows of a block of text, or of one that is not finished."""
    if "parts" in block:
        return "\n\n".join(_part(part) for part in block["parts"])
    text = str(block.get("text", ""))
    return text if read_typed(text) in ({"text": text}, {}) else "\n".join(map(_line, text.split("\n")))


def read_typed(typed: str) -> dict[str, Any]:
    """The ``text`` of a block or, where anything in it has a form, its ``parts``; nothing of an empty box."""
    if not typed.strip():
        return {}
    if len(typed) > MOST_READ:
        return {"text": typed}
    parts = [_read(kind, said) for kind, said in _parts(typed.split("\n"))]
    is_plain = all(
        len(part.get("paragraph", ())) == 1 and isinstance(part["paragraph"][0], str) for part in parts
    ) and not any(_KEPT_BLANK.fullmatch(line) for line in typed.split("\n"))
    return {"text": _unescaped(typed)} if is_plain else {"parts": parts}


def _parts(lines: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Each part by its kind, with its paragraph or its entries as they were typed."""
    kind, said = "", list[str]()
    for line in lines:
        entry = _ENTRY.fullmatch(line)
        if not line.strip():
            if said:
                yield kind, said
            kind, said = "", []
        elif entry is not None:
            own = "list" if entry[1] is None else "ordered"
            if said and kind != own:
                yield kind, said
                said = []
            kind = own
            said.append(entry[2])
        elif said and (kind == "paragraph" or line.startswith("  ")):
            said[-1] += "\n" + (line if kind == "paragraph" else line[2:])
        else:
            if said:
                yield kind, said
            kind, said = "paragraph", [line]
    if said:
        yield kind, said


def _read(kind: str, said: Sequence[str]) -> dict[str, Any]:
    if kind == "paragraph":
        return {"paragraph": _spans(said[0])}
    entries = [_spans(each) for each in said]
    return {"list": entries, "ordered": True} if kind == "ordered" else {"list": entries}


def _spans(said: str) -> list[Any]:
    """The spans of a paragraph or an entry. A blank between two goes to one of them, because none is blank."""
    lines = [line[1:] if _KEPT_BLANK.fullmatch(line) else line for line in said.split("\n")]
    runs = list[tuple[str, dict[str, Any]]]()
    for text, form in _runs("\n".join(lines)):
        if runs and (runs[-1][1] == form or not text.strip()):
            runs[-1] = (runs[-1][0] + text, runs[-1][1])
        elif runs and not runs[-1][0].strip():
            runs[-1] = (runs[-1][0] + text, form)
        else:
            runs.append((text, form))
    return [{"text": text, **form} if form else text for text, form in runs] or [""]


def _runs(said: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Pieces of what was typed with the form of each; in one pass, whatever was typed."""
    tokens = list(_TOKEN.finditer(said))
    closes = _last_that_close(said, tokens)
    brackets = [number for number, token in enumerate(tokens) if token[0][0] in "[]"]
    link_of = {one: tokens[other][2] for one, other in pairwise(brackets) if tokens[one][0] == "["}
    form: dict[str, Any] = {}
    at = 0
    for number, token in enumerate(tokens):
        if token.start() > at:
            yield said[at : token.start()], dict(form)
        at = token.end()
        sign = token[0]
        if token[1] is not None:
            if token[1] != "~":
                yield token[1], dict(form)
        elif sign == "[" and link_of.get(number):
            form["link"] = _unescaped(link_of[number])
        elif sign[0] == "]" and "link" in form:
            del form["link"]
        elif sign[0] == "*":
            left = _starred(sign, form, _opens_and_closes(said, token), closes, number)
            if left:
                yield left, dict(form)
        else:
            yield sign, dict(form)
    if at < len(said):
        yield said[at:], form


_STARS: Final = {"bold": 2, "italic": 1}
_BOTH: Final = 3


def _starred(sign: str, form: dict[str, Any], may: tuple[bool, bool], closes: Mapping[str, int], number: int) -> str:
    """Let stars end what they can end, and begin what is ended later; those that are left are stars."""
    may_open, may_close = may
    left = len(sign)
    ended = {name for name, stars in _STARS.items() if may_close and name in form and left in (stars, _BOTH)}
    for name, stars in _STARS.items():
        if left >= stars and name in ended:
            del form[name]
            left -= stars
    for name, stars in _STARS.items():
        begins = may_open and name not in form and name not in ended and closes[name] > number
        if begins and left >= stars and (left == stars or len(sign) == _BOTH):
            form[name] = True
            left -= stars
    return "*" * left


def _opens_and_closes(said: str, token: re.Match[str]) -> tuple[bool, bool]:
    """Whether stars stand before something, and whether they stand behind something."""
    after, before = said[token.end() : token.end() + 1], said[token.start() - 1 : token.start()]
    return bool(after.strip()), bool(before.strip())


def _last_that_close(said: str, tokens: Sequence[re.Match[str]]) -> dict[str, int]:
    last = dict.fromkeys(_STARS, -1)
    for number, token in enumerate(tokens):
        if token[0][0] == "*" and _opens_and_closes(said, token)[1]:
            last |= {name: number for name, stars in _STARS.items() if len(token[0]) in (stars, 3)}
    return last


def _unescaped(said: str) -> str:
    return _ESCAPED.sub(lambda found: "" if found[1] == "~" else found[1], said)


def _part(part: Mapping[str, Any]) -> str:
    if "paragraph" in part:
        return "\n".join(map(_begun, _inline(part["paragraph"]).split("\n")))
    entries = [_inline(spans).replace("\n", "\n  ") for spans in part["list"]]
    if part.get("ordered"):
        return "\n".join(f"{number}. {each}" for number, each in enumerate(entries, 1))
    return "\n".join(f"- {each}" for each in entries)


def _inline(spans: Sequence[Any]) -> str:
    written, ends_signed = "", False
    for span in spans:
        form = span if isinstance(span, Mapping) else {"text": span}
        text = _SIGNS.sub(r"\\\g<0>", form["text"])
        inner = text.strip()
        before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        signs = "*" * (2 * bool(form.get("bold")) + bool(form.get("italic")))
        if form.get("link"):
            address = re.sub(r"[()]", r"\\\g<0>", form["link"])
            inner = f"[{inner}]({address})"
        if signs and ends_signed and not before:
            before = _NOTHING
        ends_signed = bool(signs) and not after
        written += f"{before}{signs}{inner}{signs}{after}"
    return "\n".join(line if line.strip() else f"\\{line}" for line in written.split("\n"))


def _line(line: str) -> str:
    """A line of a plain text, of which no sign says anything."""
    return _begun(_SIGNS.sub(r"\\\g<0>", line))


def _begun(line: str) -> str:
    """A line that begins no entry of a list."""
    entry = _ENTRY.fullmatch(line)
    if entry is None:
        return line
    return f"\\{line}" if entry[1] is None else line.replace(".", "\\.", 1)
