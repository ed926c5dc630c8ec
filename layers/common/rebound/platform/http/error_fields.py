"""The fields of a request that pydantic's errors are about, each once and as the client wrote it.

Where a value may be one of several kinds, pydantic tries each, reports what is wrong with each, and puts the name of
the kind into the place of the error. A client wrote no such name. Loaded when something is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from rebound.kernel.errors import FieldError
from rebound.platform.http.unknown_names import alternatives, below, unknown_field

_KEY: Final = "[key]"
"""What pydantic puts behind the key of a mapping that is wrong itself."""


class _Wrong(Struct, frozen=True):
    """One of pydantic's errors: ``field`` as the client wrote it, ``choice`` the outermost one of several kinds."""

    field: str
    error: Mapping[str, Any]
    way: Sequence[str | int]
    choice: str | None

    @property
    def is_of_kind(self) -> bool:
        """Whether the value is not even of the kind that was tried."""
        return str(self.error["type"]).endswith(("_type", "_parsing"))


def fields_of(
    errors: Iterable[Mapping[str, Any]],
    shapes: Sequence[Any],
    sentence: Callable[[Mapping[str, Any]], str],
    sent: Any,
    path: str = "",
) -> list[FieldError]:
    """What is wrong with a value of the ``shapes``, by field: several kinds of one field are one error.

    ``sentence`` says one of pydantic's errors in our words. ``sent`` is the value, which stands at ``path``.
    """
    found: dict[str, list[_Wrong]] = {}
    wrongs = [_placed(error, shapes, sent, path) for error in errors]
    for wrong in wrongs:
        if not any(_says_more(other, wrong) for other in wrongs):
            found.setdefault(wrong.field, []).append(wrong)
    return [_error_of(field or "body", same, shapes, sentence) for field, same in found.items()]


def written(parts: Iterable[str | int], path: str = "") -> str:
    """A place as clients write it: ``blocks[0].text``."""
    for part in parts:
        path = f"{path}[{part}]" if isinstance(part, int) else f"{path}.{part}" if path else part
    return path


def _placed(error: Mapping[str, Any], shapes: Sequence[Any], sent: Any, path: str) -> _Wrong:
    way: list[str | int] = []
    choice, here = None, [each for shape in shapes for each in alternatives(shape)]
    *_, last = error["loc"] or ("",)
    for part in error["loc"]:
        there = [] if part == _KEY else [each for one in here for each in below(one, part)]
        if isinstance(part, int):
            is_written = isinstance(sent, list)
        else:
            is_written = bool(there) or (error["type"] == "extra_forbidden" and part is last)
        if is_written:
            way.append(part)
            here = [each for one in there for each in alternatives(one)]
            sent = sent[part] if isinstance(part, int) else sent.get(part) if isinstance(sent, dict) else None
        elif choice is None and isinstance(part, str) and part != _KEY:
            choice = written(way, path)
    return _Wrong(written(way, path), error, way, choice)


def _says_more(other: _Wrong, wrong: _Wrong) -> bool:
    """Whether the value is of another kind than ``wrong`` took it for: ``other`` looked into it, or at its value."""
    if wrong.choice is None or other.choice != wrong.choice or wrong.field != wrong.choice or not wrong.is_of_kind:
        return False
    return other.field != wrong.field or not other.is_of_kind


def _error_of(
    field: str, same: Sequence[_Wrong], shapes: Sequence[Any], sentence: Callable[[Mapping[str, Any]], str]
) -> FieldError:
    first = same[0]
    if first.error["type"] == "extra_forbidden":
        return unknown_field(field, first.way, shapes)
    sentences = list(dict.fromkeys(sentence(each.error) for each in same))
    return FieldError(field, _either(sentences))


def _either(sentences: Sequence[str]) -> str:
    """One sentence of those about each kind, such as "Must be a valid boolean or a valid string.".

    Sentences that cannot be put together give the first.
    """
    first, *others = sentences
    begin = "Must be "
    if not others or not all(each.startswith(begin) for each in sentences):
        return first
    return (
        " or ".join([first.removesuffix("."), *(each.removeprefix(begin).removesuffix(".") for each in others)]) + "."
    )
