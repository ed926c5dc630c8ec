"""Reading the values that a client gives in a filter, and saying what is wrong with them."""

import re
from collections.abc import Callable, Mapping, Sequence
from copy import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from rebound.kernel.currencies import is_currency
from rebound.kernel.errors import FieldError
from rebound.kernel.times import NO_DATE, read_day
from rebound.segments.domain.leaves import MAX_DAYS
from rebound.segments.domain.matching import NOBODY, CustomerMatcher

MAX_NAME: Final = 128
"""The longest id that a condition names."""
MOST_NAMES: Final = 50
"""Of one condition."""
AMOUNT: Final = r"[0-9]{1,12}(\.[0-9]{1,4})?"
_AMOUNT: Final = re.compile(AMOUNT)


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
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            problems.wrong(path, f"Must be a whole number from {least} to {most}.")
            return None
        return value

    return read


day_count: Final = number(0, MAX_DAYS)


class Several(Struct, frozen=True):
    """Names of which each is asked about: all of them must hold, unless ``one_is_enough``."""

    values: tuple[str, ...]
    one_is_enough: bool = False


def one_or_several(problems: Problems, value: object, path: str) -> Several | None:
    """Reads a name, a list of names, of which all must hold, or ``{"any": [names]}``."""
    one_is_enough = isinstance(value, Mapping) and list(value) == ["any"]
    named = value["any"] if isinstance(value, Mapping) and one_is_enough else value
    names: tuple[Any, ...] = (named,) if isinstance(named, str) else tuple(named) if isinstance(named, list) else ()
    fit = all(isinstance(each, str) and 0 < len(each) <= MAX_NAME for each in names)
    if not fit or not 0 < len(names) <= MOST_NAMES or (one_is_enough and isinstance(named, str)):
        how = 'a list of them, of which all must hold, or {"any": [names]}, of which one'
        problems.wrong(path, f"Must be a name of 1 to {MAX_NAME} characters, {how}; {MOST_NAMES} at most.")
        return None
    return Several(names, one_is_enough)


def optional_text(problems: Problems, value: object, path: str) -> str | None:
    """Reads a name, or null for any."""
    if value is None or (isinstance(value, str) and 0 < len(value) <= MAX_NAME):
        return value
    problems.wrong(path, f"Must be a name of 1 to {MAX_NAME} characters, or null for any.")
    return None


def yes_or_no(problems: Problems, value: object, path: str) -> bool | None:
    """Reads true or false."""
    if isinstance(value, bool):
        return value
    problems.wrong(path, "Must be true or false.")
    return None


def one_of(values: Sequence[str]) -> Reader:
    """Reads one of a few words."""

    def read(problems: Problems, value: object, path: str) -> str | None:
        if isinstance(value, str) and value in values:
            return value
        problems.wrong(path, f"Must be one of {', '.join(values)}.")
        return None

    return read


def amount(problems: Problems, value: object, path: str) -> Decimal | None:
    """Reads an amount of money: decimal text, above zero."""
    if isinstance(value, str) and _AMOUNT.fullmatch(value) and Decimal(value) > 0:
        return Decimal(value)
    problems.wrong(path, 'Must be an amount above zero as decimal text, such as "100.00".')
    return None


def currency(problems: Problems, value: object, path: str) -> str | None:
    """Reads the code of a currency."""
    if isinstance(value, str) and is_currency(value):
        return value
    problems.wrong(path, "Must be a currency of ISO 4217 in capitals, such as EUR.")
    return None


def a_date(problems: Problems, value: object, path: str) -> date | None:
    """Reads a date."""
    try:
        return read_day(value)
    except ValueError:
        problems.wrong(path, NO_DATE)
        return None


def is_date(value: object) -> bool:
    """Whether it is a day of the calendar as ``YYYY-MM-DD``."""
    try:
        read_day(value)
    except ValueError:
        return False
    return True
