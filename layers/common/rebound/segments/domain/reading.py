"""Reading the values that a client gives in a filter, and saying what is wrong with them."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import replace
from datetime import date
from typing import Any, Final

from rebound.kernel.errors import FieldError
from rebound.segments.domain.leaves import MAX_DAYS
from rebound.segments.domain.matching import NOBODY, CustomerMatcher

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Problems:
    """Collects everything that is wrong with a filter."""

    def __init__(self) -> None:
        self.errors: list[FieldError] = []

    def wrong(self, path: str, message: str, did_you_mean: str | None = None) -> CustomerMatcher:
        """Note that the value at a path is not as it must be; a condition to go on with, until all is read."""
        self.errors.append(FieldError(path, message, did_you_mean))
        return NOBODY

    def misnamed(self, path: str, message: str, names: Sequence[str], known: Sequence[str]) -> CustomerMatcher:
        """Note that something has other ``names`` than the ``known``, or too few or many of these."""
        strange = [name for name in names if name not in known]
        error = FieldError.unknown(path, message, strange[0], known) if strange else FieldError(path, message)
        self.errors.append(error)
        return NOBODY

    def move(self, since: int, path: str) -> None:
        """Say of what was noted since that it is wrong at a path."""
        self.errors[since:] = [replace(error, field=path) for error in self.errors[since:]]


type Reader = Callable[[Problems, Any, str], Any]
"""Reads a value at a path; ``None`` when something is wrong with it, which is noted then."""


def read_object(
    problems: Problems, asked: object, path: str, readers: Mapping[str, Reader], example: str
) -> Mapping[str, Any] | None:
    """The values of an object that may have the names that there are readers for; ``None`` when one is wrong."""
    if not isinstance(asked, Mapping):
        problems.wrong(path, f"Must be an object, {example}.")
        return None
    before = len(problems.errors)
    if any(name not in readers for name in asked):
        problems.misnamed(path, f"May have {', '.join(readers)}: {example}.", sorted(asked), tuple(readers))
    read = {name: readers[name](problems, value, f"{path}.{name}") for name, value in asked.items() if name in readers}
    return read if len(problems.errors) == before else None


def number(least: int, most: int) -> Reader:
    """Reads a whole number between two."""

    def read(problems: Problems, value: object, path: str) -> int | None:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            problems.wrong(path, f"Must be a whole number from {least} to {most}.")
            return None
        return value

    return read


day_count: Final = number(0, MAX_DAYS)


def a_date(problems: Problems, value: object, path: str) -> date | None:
    """Reads a date."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    problems.wrong(path, "Must be a date as YYYY-MM-DD.")
    return None
