"""A layout as the form of the block editor has it, in whatever state it is.

What is filled in for each kind of block is read from the shapes of the domain, so that a new field is in the editor
without another line. A block's place is that of its fields in the form: ``b.3``, or ``b.3.0.1`` in a column.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from textwrap import shorten
from typing import Any, Final, get_args

from msgspec import NODEFAULT, Struct, field, inspect

from rebound.businesses.domain.layout_style import Font, Style
from rebound.console.http.layouts.text import read_typed, typed_of
from rebound.console.http.requests import Form
from rebound.templates.domain.layout import MAX_BLOCKS, MAX_COLUMNS, AnyBlock, Network

TOP: Final = "b"
"""The place of the list of all blocks."""
MOST_LINKS: Final = 10
FEW_LINKS: Final = 3
"""Rows that are there to be filled in."""
_FEW: Final = 5
"""Numbers of which one is chosen."""
HEAD: Final = ("subject", "preheader", "language")
WEB_FONT: Final = ("web_font.name", "web_font.stylesheet")
_PATH: Final = re.compile(r"blocks\[(\d+)\](?:\.columns\[(\d+)\]\.blocks\[(\d+)\])?\.?(.*)", re.DOTALL)


class Kind(StrEnum):
    """How something is filled in."""

    LINE = "line"
    TEXT = "text"
    MARKUP = "markup"
    ADDRESS = "address"
    COLOUR = "colour"
    NUMBER = "number"
    CHOICE = "choice"


class Input(Struct, frozen=True):
    """Something that is filled in. ``usual`` is what stands where it is not."""

    name: str
    kind: Kind
    choices: tuple[str, ...] = ()
    usual: str = ""
    needed: bool = False

    @property
    def is_look(self) -> bool:
        """Whether it is about how the block looks, rather than what it says."""
        return self.kind in (Kind.COLOUR, Kind.NUMBER) or (self.kind is Kind.CHOICE and self.name != "level")

    @property
    def is_long(self) -> bool:
        """Whether it has several lines, on which blanks count."""
        return self.kind in (Kind.TEXT, Kind.MARKUP)


_KINDS_OF_TEXTS: Final = {
    "text": Kind.TEXT,
    "html": Kind.MARKUP,
    "link": Kind.ADDRESS,
    "source": Kind.ADDRESS,
    "colour": Kind.COLOUR,
}


def _inputs_of(shape: type[Struct]) -> tuple[Input, ...]:
    found = inspect.type_info(shape)
    assert isinstance(found, inspect.StructType)  # noqa: S101 - a fault of ours
    return tuple(made for each in found.fields if (made := _input(each)) is not None)


def _input(own: inspect.Field) -> Input | None:
    """How a field is filled in; ``None`` for lists and objects, which have forms of their own."""
    shape, form = own.type, ""
    while isinstance(shape, inspect.Metadata | inspect.UnionType):
        if isinstance(shape, inspect.Metadata):
            form, shape = (shape.extra or {}).get("form", ""), shape.type
        else:
            shape = next(each for each in shape.types if not isinstance(each, inspect.NoneType))
    usual = "" if own.default in (None, NODEFAULT) else str(own.default)
    match shape:
        case inspect.EnumType():
            return Input(
                own.encode_name, Kind.CHOICE, tuple(str(each.value) for each in shape.cls), usual, own.required
            )
        case inspect.IntType(ge=int(least), le=int(most)) if most - least < _FEW:
            return Input(own.encode_name, Kind.CHOICE, tuple(map(str, range(least, most + 1))), usual, own.required)
        case inspect.IntType():
            return Input(own.encode_name, Kind.NUMBER, (), usual, own.required)
        case inspect.StrType():
            return Input(own.encode_name, _KINDS_OF_TEXTS.get(form, Kind.LINE), (), usual, own.required)
    return None


INPUTS: Final[Mapping[str, tuple[Input, ...]]] = {
    str(shape.__struct_config__.tag): _inputs_of(shape) for shape in get_args(AnyBlock)
}
"""What is filled in for each kind of block."""
IN_COLUMNS: Final = tuple(kind for kind in INPUTS if kind != "columns")
STYLE: Final = tuple(Input(each.name, each.kind, each.choices, each.usual) for each in _inputs_of(Style))
"""What of a style is filled in; a web font has ``WEB_FONT``."""
NETWORKS: Final = tuple(Network)
FONTS: Final = tuple(map(str, Font))


class Block(Struct):
    """A block: what was typed by field, the links of one of networks, and what is wrong, by field."""

    kind: str
    typed: dict[str, str] = field(default_factory=dict)
    links: list[tuple[str, str]] = field(default_factory=list)
    columns: list[list["Block"]] = field(default_factory=list)
    wrong: dict[str, list[str]] = field(default_factory=dict)
    warned: dict[str, list[str]] = field(default_factory=dict)

    @property
    def inputs(self) -> tuple[Input, ...]:
        """What is filled in."""
        return INPUTS[self.kind]

    @property
    def rows(self) -> Sequence[tuple[str, str]]:
        """The links, with empty rows for more."""
        return [*self.links, *[("", "")] * max(1, FEW_LINKS - len(self.links))][:MOST_LINKS]

    @property
    def says(self) -> str:
        """The beginning of what it says, to tell it from others of its kind."""
        written = (each for each in self.inputs if not each.is_look and not each.choices)
        said = next((self.typed[each.name] for each in written if self.typed.get(each.name)), "")
        return shorten(" ".join(said.split()), 28, placeholder=" …")

    def document(self) -> dict[str, Any]:
        """The block as the domain reads it; what is no number stays as it is, to be refused."""
        made: dict[str, Any] = {"kind": self.kind}
        for each in self.inputs:
            typed = self.typed.get(each.name, "")
            if self.kind == "text" and each.name == "text":
                made |= read_typed(typed)
            elif typed.strip() and typed != each.usual:
                is_number = each.kind is Kind.NUMBER or each.choices[:1] == ("1",)
                made[each.name] = _number(typed) if is_number else typed
        if self.kind == "social":
            made["links"] = [
                {name: part for name, part in zip(("network", "link"), row, strict=True) if part} for row in self.links
            ]
        if self.kind == "columns":
            made["columns"] = [{"blocks": [each.document() for each in column]} for column in self.columns]
        return made


class LayoutTyped(Struct):
    """A layout as it was typed; ``head`` is the subject and the like, ``style`` what differs from the business's."""

    head: dict[str, str] = field(default_factory=dict)
    style: dict[str, str] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    wrong: dict[str, list[str]] = field(default_factory=dict)
    warned: dict[str, list[str]] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The layout as the domain reads it."""
        made: dict[str, Any] = {name: typed for name, typed in self.head.items() if typed}
        style = style_of(self.style)
        return {**made, **({"style": style} if style else {}), "blocks": [each.document() for each in self.blocks]}

    def placed(self) -> Iterator[tuple[str, Block]]:
        """Every block with its place, in the order in which they are read."""
        for number, block in enumerate(self.blocks):
            yield f"{TOP}.{number}", block
            for at, column in enumerate(block.columns):
                for inner, each in enumerate(column):
                    yield f"{TOP}.{number}.{at}.{inner}", each

    def tell(self, path: str, message: str, *, is_warning: bool = False) -> None:
        """Write what is wrong beside the field that it is about; ``path`` begins at the layout."""
        found = _PATH.fullmatch(path)
        holder: LayoutTyped | Block = self
        name = path
        if found is not None:
            place = ".".join([TOP, *(part for part in found.groups()[:3] if part is not None)])
            holder, name = next((block for at, block in self.placed() if at == place), self), found[4]
            if isinstance(holder, Block):
                name = _beside(holder, name)
        told = holder.warned if is_warning else holder.wrong
        told.setdefault(name, []).append(message)


def _beside(block: Block, name: str) -> str:
    """The input of a block beside which a path within it stands; empty for the block itself."""
    if block.kind == "text" and name.startswith("parts"):
        return "text"
    if name.startswith("links["):
        return name.partition(".")[0].removesuffix("]").replace("[", ".")
    return name if name in [each.name for each in block.inputs] else ""


def style_of(typed: Mapping[str, str]) -> dict[str, Any]:
    """The options of a style that were filled in, as the domain reads them."""
    made: dict[str, Any] = {}
    for each in STYLE:
        if typed.get(each.name):
            made[each.name] = _number(typed[each.name]) if each.kind is Kind.NUMBER else typed[each.name]
    font = {name.partition(".")[2]: typed[name] for name in WEB_FONT if typed.get(name)}
    return {**made, **({"web_font": font} if font else {})}


def typed_layout(document: Mapping[str, Any]) -> LayoutTyped:
    """A layout that was saved, or one that is not finished, as the form has it."""
    style = dict(document.get("style") or {})
    font = style.pop("web_font", None) or {}
    typed = {name: _text(value) for name, value in style.items()}
    typed |= {f"web_font.{name}": _text(value) for name, value in font.items()}
    head = {name: _text(document.get(name)) for name in HEAD}
    return LayoutTyped(head, typed, [_typed_block(each) for each in document.get("blocks", ())])


def _typed_block(document: Mapping[str, Any]) -> Block:
    block = Block(document["kind"])
    for each in block.inputs:
        own = typed_of(document) if block.kind == "text" and each.name == "text" else _text(document.get(each.name))
        block.typed[each.name] = own or each.usual
    block.links = [(_text(row.get("network")), _text(row.get("link"))) for row in document.get("links", ())]
    block.columns = [[_typed_block(each) for each in column["blocks"]] for column in document.get("columns", ())]
    return block


def new_block(kind: str) -> Block:
    """An empty one; of columns there are two, with an empty text in each."""
    if kind == "columns":
        return Block(kind, {}, columns=[[new_block("text")], [new_block("text")]])
    return Block(kind, {each.name: each.usual for each in INPUTS[kind]})


def read_form(form: Form) -> LayoutTyped:
    """The layout in a form."""
    names = [*(each.name for each in STYLE), *WEB_FONT]
    return LayoutTyped(
        {name: form.one(name) for name in HEAD},
        {name: typed for name in names if (typed := form.one(f"style.{name}"))},
        _read_blocks(form, TOP, kinds=tuple(INPUTS)),
    )


def _read_blocks(form: Form, at: str, kinds: Sequence[str]) -> list[Block]:
    found: list[Block] = []
    while len(found) <= MAX_BLOCKS and (place := f"{at}.{len(found)}") and f"{place}.kind" in form:
        kind = form.one(f"{place}.kind")
        block = Block(kind if kind in kinds else "text")
        for each in block.inputs:
            name = f"{place}.{each.name}"
            block.typed[each.name] = as_typed(form, name) if each.is_long else form.one(name)
            if each.kind is Kind.ADDRESS:
                block.typed[each.name] = whole_address(form.one(name))
        if block.kind == "social":
            rows = [
                (form.one(f"{place}.network.{row}"), whole_address(form.one(f"{place}.link.{row}")))
                for row in range(MOST_LINKS)
            ]
            block.links = [row for row in rows if any(row)]
        if block.kind == "columns":
            several = form.one(f"{place}.columns")
            count = min(int(several), MAX_COLUMNS) if re.fullmatch("[0-9]", several) else 0
            block.columns = [_read_blocks(form, f"{place}.{column}", IN_COLUMNS) for column in range(count)]
        found.append(block)
    return found


_HOST_ALONE: Final = re.compile(r"(?![0-9.]+$)[^\W_]([\w-]*\w)?(\.[\w-]+)*\.[^\W\d_]{2,}(:[0-9]+)?([/?#]\S*)?")
"""What people type for an address: ``www.example.com/prices``."""


def whole_address(typed: str) -> str:
    """An address with ``https://`` where only that is missing; anything else as it was typed."""
    return f"https://{typed}" if _HOST_ALONE.fullmatch(typed) else typed


def as_typed(form: Form, name: str) -> str:
    """A text with its blanks, and with line breaks as the domain has them."""
    values = form.values.get(name, ())
    return values[0].replace("\r\n", "\n") if values else ""


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _number(typed: str) -> object:
    return int(typed) if re.fullmatch(r"-?[0-9]{1,6}", typed) else typed
