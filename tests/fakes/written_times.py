"""Times in what we answer and publish: which of them are not written as all others are."""

import re
from collections.abc import Iterator
from typing import Any, Final

INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})"
)
"""A time with its offset, in any form: what a clock shows has none."""
WRITTEN: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
"""The one form in which we write."""


def odd_times(said: Any) -> Iterator[str]:
    """The times in a value of JSON, or in a line of a file, that are written in another form."""
    if isinstance(said, dict):
        for name, value in said.items():
            yield from odd_times(name)
            yield from odd_times(value)
    elif isinstance(said, list | tuple):
        for value in said:
            yield from odd_times(value)
    elif isinstance(said, str):
        yield from (found for found in INSTANT.findall(said) if not WRITTEN.fullmatch(found))
