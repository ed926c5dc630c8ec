"""The languages in which Rebound itself writes to customers, and which of them somebody reads.

What it writes is kept as data, ``words/<language>.json`` in the folder of the capability that says it, so that whoever
translates edits a file and no Python.
"""

from typing import Any, Final

from msgspec import json

LANGUAGES: Final = ("de", "en", "es", "fr", "pt")
"""ISO 639-1."""
_PACKAGE: Final = __file__.rsplit("/", 2)[0]


def known_language(value: str) -> str:
    """One of the languages, in any case. Raises ``ValueError`` with a sentence for people."""
    language = value.strip().lower()
    if language not in LANGUAGES:
        raise ValueError(f"Must be one of {', '.join(LANGUAGES)}.")
    return language


def read_words(capability: str, language: str) -> dict[str, Any]:
    """What a capability says in one of the languages.

    Whoever asks keeps it, and makes an object of it that takes each sentence by its name, so that none is missed.
    """
    with open(f"{_PACKAGE}/{capability}/words/{language}.json", "rb", 0) as file:  # noqa: PTH123 - a third of the time
        words: dict[str, Any] = json.decode(file.read())
    return words
