"""Reading a layout from JSON: all that is wrong with it at once, each with the path to it and what is allowed there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import inspect

from rebound.businesses.domain.layout_style import FORMS
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.placeholders import PLACEHOLDER
from rebound.templates.domain.footers import ALL_LINKS
from rebound.templates.domain.layout import MAX_BLOCKS, Layout, TextBlock, Voucher, placed
from rebound.templates.domain.placeholder_flaws import flaws_of
from rebound.templates.domain.placeholders import repaired

if TYPE_CHECKING:
    from enum import Enum

MOST_ERRORS: Final = 50
"""That are told at once."""
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BREAKS: Final = re.compile("[\r\n\u2028\u2029\u0085]")
_BRACES: Final = re.compile(r"\{\{|\}\}")
_REST: Final = r"""[^\s<>"\\]"""
_WEB: Final = r"https?://[^\s<>\"\\/?#]"
_OTHERS: Final = rf"(?:mailto|tel|sms):{_REST}"
_ADDRESSES: Final = frozenset({"link", "source"})
_FORMS: Final = {**FORMS, "language": "Must be a language, such as en or pt-BR."}
"""What is said where the pattern of a shape does not hold."""
_WRITTEN: Final = frozenset({"subject", "text", "line", "link", "source", "html"})
"""The forms that may have placeholders."""


def read_layout(
    given: object,
    variables: Sequence[str],
    of_subjects: Sequence[str],
    path: str = "",
    addresses: tuple[str, ...] = ALL_LINKS,
) -> Layout:
    """The layout, with placeholders as they were before an editor mangled them.

    ``variables`` are those that it may use, ``of_subjects`` those that its subject may, and ``addresses`` those whose
    value is a whole address, so that a link may be one; ``path`` is where it stands in the request. Raises
    ``InvalidInputError``, which says all that is wrong.
    """
    reader = _Reader(variables, of_subjects, addresses)
    document = reader.read(inspect.type_info(Layout), given, path)
    if reader.errors:
        raise InvalidInputError(*reader.errors[:MOST_ERRORS])
    layout = msgspec.convert(document, Layout)
    errors = list(_inconsistent(layout, path))
    if errors:
        raise InvalidInputError(*errors[:MOST_ERRORS])
    return layout


def _inconsistent(layout: Layout, path: str) -> Iterable[FieldError]:
    """What is right by itself and wrong together."""
    blocks = list(placed(layout))
    if len(blocks) > MAX_BLOCKS:
        message = f"Has {len(blocks)} blocks with those in columns; at most {MAX_BLOCKS} are allowed."
        yield FieldError(_below(path, "blocks"), message)
    for each in blocks:
        here = _below(path, each.path)
        if isinstance(each.block, Voucher) and each.block.link is None and each.block.link_text is not None:
            yield FieldError(f"{here}.link_text", "Is what a link says: it needs a link.")
        if isinstance(each.block, TextBlock):
            if (each.block.text is None) == (each.block.parts is None):
                yield FieldError(here, "Must have exactly one of text, parts.")
            for number, part in enumerate(each.block.parts or ()):
                if (part.paragraph is None) == (part.items is None):
                    yield FieldError(f"{here}.parts[{number}]", "Must have exactly one of paragraph, list.")


def _below(path: str, name: object) -> str:
    if isinstance(name, int):
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else str(name)


class _Reader:
    """Goes through a document beside the shapes that it ought to have, and gathers what is wrong."""

    def __init__(self, variables: Sequence[str], of_subjects: Sequence[str], addresses: tuple[str, ...]) -> None:
        self.errors: list[FieldError] = []
        self._variables = variables
        self._of_subjects = of_subjects
        self._addresses = addresses

    def read(self, shape: inspect.Type, given: object, path: str) -> object:
        """The value, mended; of a value that is wrong something that nobody uses."""
        form = None
        if isinstance(shape, inspect.Metadata):
            form, shape = (shape.extra or {}).get("form"), shape.type
        match shape:
            case inspect.UnionType():
                return None if given is None and shape.includes_none else self._one_of(shape, given, path)
            case inspect.StructType():
                return self._object(shape, given, path)
            case inspect.ListType():
                return self._list(shape, given, path)
            case inspect.StrType():
                return self._text(shape, given, path, form)
            case inspect.BoolType():
                self._demand(isinstance(given, bool), path, "Must be true or false.")
            case inspect.IntType(ge=ge, le=le):
                right = isinstance(given, int) and not isinstance(given, bool)
                right = right and (ge or 0) <= given <= (le or 0)  # type: ignore[operator]
                self._demand(right, path, f"Must be a whole number from {ge} to {le}.")
            case inspect.EnumType(cls=cls):
                self._one_word(_values(cls), given, path)
            case _:
                raise TypeError(shape)
        return given

    def _wrong(self, path: str, message: str) -> None:
        self.errors.append(FieldError(path or "body", message))

    def _demand(self, right: bool, path: str, message: str) -> None:  # noqa: FBT001 - reads as an assertion
        if not right:
            self._wrong(path, message)

    def _one_word(self, allowed: Iterable[str], given: object, path: str) -> None:
        words = list(allowed)
        if isinstance(given, str) and given not in words:
            self.errors.append(FieldError.unknown(path, f"Must be one of {', '.join(words)}.", given, words))
        else:
            self._demand(isinstance(given, str), path, f"Must be one of {', '.join(words)}.")

    def _one_of(self, union: inspect.UnionType, given: object, path: str) -> object:
        shapes = [shape for shape in union.types if not isinstance(shape, inspect.NoneType)]
        objects = [shape for shape in shapes if isinstance(shape, inspect.StructType)]
        plain = [shape for shape in shapes if not isinstance(shape, inspect.StructType)]
        if plain and (not objects or isinstance(given, str)):
            return self.read(plain[0], given, path)
        if not isinstance(given, dict):
            self._wrong(path, "Must be a text or an object." if plain else "Must be an object.")
            return given
        if len(objects) == 1:
            return self._object(objects[0], given, path)
        shape = self._tagged(objects, str(objects[0].tag_field), given, path)
        return given if shape is None else self._object(shape, given, path)

    def _tagged(
        self, shapes: Sequence[inspect.StructType], tag: str, given: Mapping[str, Any], path: str
    ) -> inspect.StructType | None:
        """The shape of an object whose field ``tag`` says of which kind it is."""
        known, kind, field = {str(shape.tag): shape for shape in shapes}, given.get(tag), _below(path, tag)
        allowed = ", ".join(known)
        if kind is None:
            self._wrong(field, f"Is required: one of {allowed}.")
        elif kind == "columns" and kind not in known:
            self._wrong(field, f"Columns cannot stand within columns; allowed here are {allowed}.")
        else:
            self._one_word(known, kind, field)
        return known.get(kind) if isinstance(kind, str) else None

    def _object(self, shape: inspect.StructType, given: object, path: str) -> object:
        if not isinstance(given, dict):
            self._wrong(path, "Must be an object.")
            return given
        fields = {field.encode_name: field for field in shape.fields}
        known = [*([] if shape.tag_field is None else [shape.tag_field]), *fields]
        for name in given:
            if name not in known:
                what = f"Is not known here; known are {', '.join(known)}."
                self.errors.append(FieldError.unknown(_below(path, name), what, name, known))
        for name, field in fields.items():
            if name not in given and field.required:
                self._wrong(_below(path, name), "Is required.")
        return {
            name: self.read(fields[name].type, value, _below(path, name)) if name in fields else value
            for name, value in given.items()
        }

    def _list(self, shape: inspect.ListType, given: object, path: str) -> object:
        least, most = shape.min_length or 0, shape.max_length
        if not isinstance(given, list):
            self._wrong(path, "Must be a list.")
            return given
        self._demand(len(given) >= least, path, f"Must have at least {least} item.")
        if most is not None and len(given) > most:
            self._wrong(path, f"Must have at most {most} items.")
            return given
        return [self.read(shape.item_type, each, _below(path, number)) for number, each in enumerate(given)]

    def _text(self, shape: inspect.StrType, given: object, path: str, form: str | None) -> object:
        message = _wrong_text(shape, given, form)
        if message is not None:
            self._wrong(path, message)
        if message is not None or not isinstance(given, str) or form not in _WRITTEN:
            return given
        is_html = form == "html"
        mended = repaired(given, self._addresses, is_html=is_html)
        known = self._of_subjects if form == "subject" else self._variables
        flaws = list(flaws_of(mended, known, self._addresses, is_html=is_html))
        self.errors.extend(FieldError(path, str(flaw), flaw.did_you_mean) for flaw in flaws)
        if not flaws and _BRACES.search(PLACEHOLDER.sub("", mended)):
            self._wrong(path, "Has {{ or }} outside of a placeholder, which would reach the customer as it stands.")
        if form in _ADDRESSES:
            self._demand(_address(form, self._addresses).fullmatch(mended) is not None, path, self._no_address(form))
        return mended

    def _no_address(self, form: str) -> str:
        ways = "https://, http://, mailto:, tel: or sms:" if form == "link" else "https:// or http://"
        known = [name for name in _variables_of(form, self._addresses) if name in self._variables]
        variables = ", ".join(f"##{{{{{name}}}}}" for name in known)
        others = f", or be one of {variables}" if variables else ""
        return f'Must begin with {ways}{others}, and have no spaces, nor any of < > " \\ in it.'


def _variables_of(form: str, addresses: tuple[str, ...]) -> list[str]:
    """The variables that may be an address of a form; at ours there is no picture."""
    return [name for name in addresses if form == "link" or name not in ALL_LINKS]


@lru_cache(maxsize=16)
def _address(form: str, addresses: tuple[str, ...]) -> re.Pattern[str]:
    """What an address of a form looks like."""
    variables = "|".join(map(re.escape, _variables_of(form, addresses)))
    ways = [_WEB, *([_OTHERS] if form == "link" else []), *([rf"##\{{\{{(?:{variables})\}}\}}"] if variables else [])]
    return re.compile(f"(?:{'|'.join(ways)}){_REST}*", re.IGNORECASE)


def _wrong_text(shape: inspect.StrType, given: object, form: str | None) -> str | None:
    if not isinstance(given, str):
        return "Must be a text."
    if shape.pattern is not None and not re.search(shape.pattern.removesuffix("$") + r"\Z", given):
        return _FORMS[form or ""]
    if shape.min_length is not None and len(given.strip()) < shape.min_length:
        return "Must have something that can be read."
    if shape.max_length is not None and len(given) > shape.max_length:
        return f"Must have at most {shape.max_length} characters."
    if _CONTROLS.search(given):
        return "Must have no control characters but tabs and line breaks."
    if form in {"subject", "line", "link", "source"} and _BREAKS.search(given):
        return "Must be one line."
    return None


@cache
def _values(cls: type[Enum]) -> tuple[str, ...]:
    return tuple(str(each.value) for each in cls)
