"""Reading what providers send: extra fields are ignored, errors name a missing field, and no error holds a value.

A path is written with dots (``bounce.timestamp``); list members are read one by one.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from rebound.kernel.errors import MalformedReceiptError

_COUNT: Final = re.compile(r"[0-9]{1,6}")
_MOST: Final = 999_999


def text_at(record: Mapping[str, object], path: str) -> str:
    """The text at a path; blank counts as missing.

    :raises MalformedReceiptError: when there is none.
    """
    found = optional_text_at(record, path)
    if found is None:
        raise MalformedReceiptError(f"{path} is missing or not a text")
    return found


def optional_text_at(record: Mapping[str, object], path: str) -> str | None:
    """The text at a path, or ``None`` when it is missing, blank or something else."""
    found = _at(record, path)
    return found.strip() or None if isinstance(found, str) else None


def optional_count_at(record: Mapping[str, object], path: str) -> int | None:
    """The whole number at a path, from 0 on, which may be written as a text; ``None`` when there is none."""
    found = _at(record, path)
    if isinstance(found, str) and _COUNT.fullmatch(found.strip()):
        found = int(found)
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= _MOST else None


def object_at(record: Mapping[str, object], path: str) -> Mapping[str, object]:
    """The JSON object at a path.

    :raises MalformedReceiptError: when there is none.
    """
    return _object(_at(record, path), path)


def objects_at(record: Mapping[str, object], path: str) -> tuple[Mapping[str, object], ...]:
    """The list of JSON objects at a path; it may be empty.

    :raises MalformedReceiptError: when there is no list, or something else is in it.
    """
    return tuple(_object(member, f"{path}[]") for member in _list(record, path))


def texts_at(record: Mapping[str, object], path: str) -> tuple[str, ...]:
    """The list of texts at a path; it may be empty.

    :raises MalformedReceiptError: when there is no list, or something else is in it.
    """
    texts = []
    for member in _list(record, path):
        if not isinstance(member, str) or not member.strip():
            raise MalformedReceiptError(f"{path}[] is not a text")
        texts.append(member.strip())
    return tuple(texts)


def moment_at(record: Mapping[str, object], path: str) -> datetime:
    """The time at a path, in UTC. A time without an offset is read as UTC, which SNS's logs use but do not state.

    :raises MalformedReceiptError: when there is none, or it is not ISO 8601.
    """
    written = text_at(record, path)
    try:
        moment = datetime.fromisoformat(written)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        # Without the cause, whose text repeats the value.
        raise MalformedReceiptError(f"{path} is not an ISO 8601 time") from None


def _at(record: Mapping[str, object], path: str) -> object:
    found: object = record
    for name in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found


def _object(found: object, path: str) -> Mapping[str, object]:
    if not isinstance(found, Mapping):
        raise MalformedReceiptError(f"{path} is missing or not an object")
    return found


def _list(record: Mapping[str, object], path: str) -> list[object]:
    found = _at(record, path)
    if not isinstance(found, list):
        raise MalformedReceiptError(f"{path} is missing or not a list")
    return found
