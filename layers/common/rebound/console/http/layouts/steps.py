"""What the buttons of the block editor do to a layout, and the way back.

A block moves in the order in which blocks are read, into columns and out of them, so that two buttons reach every
place. Undo is part of the form: it carries the states before, packed, and whoever sends it back gets one of them. So
nothing is kept for anybody, and two windows do not undo each other's work.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from rebound.console.http.layouts.form import IN_COLUMNS, INPUTS, TOP, Block, LayoutTyped, new_block, typed_layout
from rebound.console.http.requests import Form
from rebound.templates.domain.layout import MAX_BLOCKS, MAX_COLUMNS

MOST_STATES: Final = 50
MOST_PACKED: Final = 24_000
"""Characters of the states in a form: a page has room for them."""
_NO_HISTORY: Final = (
    binascii.Error,
    zlib.error,
    msgspec.DecodeError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RecursionError,
)
"""What reading anything else than a history raises."""
_NUMBER: Final = re.compile("[0-9]{1,3}")
_MOST_UNPACKED: Final = 8_000_000


_IN_COLUMN: Final = {
    "layouts.added": "layouts.added_column",
    "layouts.copied": "layouts.copied_column",
    "layouts.moved": "layouts.moved_column",
}
"""What is said instead of a block in a column."""


class Done(Struct, frozen=True):
    """What a button did: words and what is filled in, and where one goes on, by the id of a button."""

    words: str
    filled: Mapping[str, Any] = {}
    focus: str = ""


class History(Struct):
    """The states before the present one, and those that were undone; the next of each is last."""

    now: dict[str, Any]
    before: list[dict[str, Any]] = field(default_factory=list)
    after: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, packed: str, typed: LayoutTyped) -> "History":
        """The history in a form, with what was typed since as a step of its own."""
        found = _unpacked(packed) or cls(typed.document())
        found.step(typed)
        return found

    def step(self, typed: LayoutTyped) -> None:
        """Go on to another state, if it is one."""
        document = typed.document()
        if document != self.now:
            self.before.append(self.now)
            self.now, self.after = document, []

    def undo(self) -> LayoutTyped | None:
        """The state before; ``None`` where there is none."""
        return self._go(self.before, self.after)

    def redo(self) -> LayoutTyped | None:
        """The state that was undone; ``None`` where there is none."""
        return self._go(self.after, self.before)

    def _go(self, source: list[dict[str, Any]], other: list[dict[str, Any]]) -> LayoutTyped | None:
        if not source:
            return None
        other.append(self.now)
        self.now = source.pop()
        return typed_layout(self.now)

    def packed(self) -> str:
        """As the form has it; the oldest states go where there is no room."""
        self.before, self.after = self.before[-MOST_STATES:], self.after[-MOST_STATES:]
        while True:
            packed = base64.b64encode(zlib.compress(msgspec.json.encode(self), 6)).decode()
            if len(packed) <= MOST_PACKED or not (self.before or self.after):
                return packed if len(packed) <= MOST_PACKED else ""
            longer = self.before if len(self.before) >= len(self.after) else self.after
            del longer[: max(1, len(longer) // 4)]


def _unpacked(packed: str) -> History | None:
    """The history that was packed; ``None`` of anything else: it comes from a form."""
    try:
        given = zlib.decompressobj().decompress(base64.b64decode(packed, validate=True), _MOST_UNPACKED)
        found = msgspec.json.decode(given, type=History)
        fit = all(_fits(typed_layout(each)) for each in (found.now, *found.before, *found.after))
    except _NO_HISTORY:
        return None
    return found if fit else None


def _fits(layout: LayoutTyped) -> bool:
    """Whether a state is one that the form could have had: columns stand in no columns."""
    return all(
        len(block.columns) <= MAX_COLUMNS and not any(each.columns for column in block.columns for each in column)
        for block in layout.blocks
    )


def done(layout: LayoutTyped, what: str, form: Form) -> Done | None:
    """Do what a button says to a layout; ``None`` of what is no button of blocks, or can no longer be done."""
    action, _, place = what.partition(":")
    if action == "add":
        return _added(layout, place, form.one(f"{place}.new"))
    if action == "place":
        return _placed(layout, *place.partition(":")[::2])
    if action == "uncolumn":
        return _uncolumned(layout, place)
    found = _at(layout, place)
    if found is None or action not in _ACTIONS:
        return None
    return _ACTIONS[action](layout, place, *found)


def _list_at(layout: LayoutTyped, place: str) -> list[Block] | None:
    """The list of blocks at a place: ``b``, or ``b.3.0`` for a column."""
    top, *path = place.split(".")
    if top != TOP or len(path) not in (0, 2) or not all(map(_NUMBER.fullmatch, path)):
        return None
    if not path:
        return layout.blocks
    number, column = map(int, path)
    columns = layout.blocks[number].columns if number < len(layout.blocks) else []
    return columns[column] if column < len(columns) else None


def _at(layout: LayoutTyped, place: str) -> tuple[list[Block], int] | None:
    """The list in which a block is, and where."""
    above, _, last = place.rpartition(".")
    found = _list_at(layout, above)
    if found is None or _NUMBER.fullmatch(last) is None or int(last) >= len(found):
        return None
    return found, int(last)


def _said(words: str, layout: LayoutTyped, place: str, button: str) -> Done:
    """What is said of a block that is at a place now."""
    found = _at(layout, place)
    assert found is not None  # noqa: S101 - it was put there
    siblings, number = found
    filled = {"kind": siblings[number].kind, "number": number + 1, "all": len(siblings)}
    column = int(place.split(".")[2]) + 1 if place.count(".") > 1 else 0
    return Done(_IN_COLUMN[words] if column else words, {**filled, "column": column}, f"{place}.{button}")


def _room(layout: LayoutTyped, block: Block) -> bool:
    return len(list(layout.placed())) + 1 + sum(map(len, block.columns)) <= MAX_BLOCKS


def _added(layout: LayoutTyped, place: str, kind: str) -> Done | None:
    siblings = _list_at(layout, place)
    if siblings is None or kind not in (INPUTS if place == TOP else IN_COLUMNS):
        return None
    block = new_block(kind)
    if not _room(layout, block):
        return Done("layouts.full", {"most": MAX_BLOCKS}, f"{place}.new")
    siblings.append(block)
    return _said("layouts.added", layout, f"{place}.{len(siblings) - 1}", "first")


def _copied(layout: LayoutTyped, place: str, siblings: list[Block], number: int) -> Done:
    if not _room(layout, siblings[number]):
        return Done("layouts.full", {"most": MAX_BLOCKS}, f"{place}.copy")
    siblings.insert(number + 1, deepcopy(siblings[number]))
    return _said("layouts.copied", layout, f"{place.rpartition('.')[0]}.{number + 1}", "copy")


def _removed(_: LayoutTyped, place: str, siblings: list[Block], number: int) -> Done:
    kind = siblings.pop(number).kind
    above = place.rpartition(".")[0]
    focus = f"{above}.{min(number, len(siblings) - 1)}.remove" if siblings else f"{above}.new"
    return Done("layouts.removed", {"kind": kind, "all": len(siblings)}, focus)


def _upwards(layout: LayoutTyped, place: str, siblings: list[Block], number: int) -> Done | None:
    above = place.rpartition(".")[0]
    block = siblings[number]
    if number:
        before = siblings[number - 1]
        if before.columns and block.kind != "columns":
            inside = f"{above}.{number - 1}.{len(before.columns) - 1}"
            return _moved(layout, place, f"{inside}.{len(before.columns[-1])}", "up")
        return _moved(layout, place, f"{above}.{number - 1}", "up")
    if above == TOP:
        return None
    holder, _, column = above.rpartition(".")
    if int(column):
        before_column = _list_at(layout, f"{holder}.{int(column) - 1}") or []
        return _moved(layout, place, f"{holder}.{int(column) - 1}.{len(before_column)}", "up")
    return _moved(layout, place, holder, "up")


def _downwards(layout: LayoutTyped, place: str, siblings: list[Block], number: int) -> Done | None:
    above = place.rpartition(".")[0]
    block = siblings[number]
    if number + 1 < len(siblings):
        if siblings[number + 1].columns and block.kind != "columns":
            return _moved(layout, place, f"{above}.{number + 1}.0.0", "down")
        return _moved(layout, place, f"{above}.{number + 2}", "down")
    if above == TOP:
        return None
    holder, _, column = above.rpartition(".")
    top, at = holder.rpartition(".")[::2]
    if int(column) + 1 < len(layout.blocks[int(at)].columns):
        return _moved(layout, place, f"{holder}.{int(column) + 1}.0", "down")
    return _moved(layout, place, f"{top}.{int(at) + 1}", "down")


def _placed(layout: LayoutTyped, place: str, target: str) -> Done | None:
    """What was dragged: ``target`` is where it is to be, among the others as they stand before."""
    above = target.rpartition(".")[0]
    found, into = _at(layout, place), _list_at(layout, above)
    if found is None or into is None or _NUMBER.fullmatch(target.rpartition(".")[2]) is None:
        return None
    if found[0][found[1]].kind == "columns" and above != TOP:
        return None
    return _moved(layout, place, target, "drag")


def _moved(layout: LayoutTyped, place: str, target: str, button: str) -> Done | None:
    """Take a block out and put it before what stands at another place now."""
    found = _at(layout, place)
    above, _, at = target.rpartition(".")
    into = _list_at(layout, above)
    if found is None or into is None:
        return None
    siblings, number = found
    index = min(int(at), len(into))
    block = siblings[number]
    into.insert(index, block)
    if into is siblings and index <= number:
        number += 1
    del siblings[number]
    # Where it is now is looked up: taking it out has moved what came after it, perhaps the columns that it is in.
    now = next(each for each, other in layout.placed() if other is block)
    return _said("layouts.moved", layout, now, button)


def _columned(_: LayoutTyped, place: str, siblings: list[Block], number: int) -> Done | None:
    columns = siblings[number].columns
    if siblings[number].kind != "columns" or len(columns) >= MAX_COLUMNS:
        return None
    columns.append([new_block("text")])
    return Done("layouts.column_added", {"all": len(columns)}, f"{place}.{len(columns) - 1}.new")


def _uncolumned(layout: LayoutTyped, place: str) -> Done | None:
    holder, _, column = place.rpartition(".")
    found = _at(layout, holder)
    if found is None or _list_at(layout, place) is None:
        return None
    columns = found[0][found[1]].columns
    del columns[int(column)]
    return Done("layouts.column_removed", {"all": len(columns)}, f"{holder}.column")


_ACTIONS: Final = {"up": _upwards, "down": _downwards, "copy": _copied, "remove": _removed, "column": _columned}
