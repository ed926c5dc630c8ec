"""The languages in which Rebound itself writes to customers, and the sentences that it has in each of them.

The sentences are data, in ``words/<language>.json`` in the folder of the capability that uses them: a translator edits
a file and no Python.
"""

from typing import Any, Final

from msgspec import json

LANGUAGES: Final = ("de", "en", "es", "fr", "it", "pt")
"""ISO 639-1."""
LAST_RESORT: Final = "en"
"""For who reads none of the languages that there are, of what is not there in all of them."""
_PACKAGE: Final = __file__.rsplit("/", 2)[0]


def known_language(value: str) -> str:
    """One of the languages, in any case. Raises ``ValueError`` with a sentence for people."""
    language = value.strip().lower()
    if language not in LANGUAGES:
        raise ValueError(f"Must be one of {', '.join(LANGUAGES)}.")
    return language


def read_words(capability: str, language: str) -> dict[str, Any]:
    """The sentences of a capability in one language, by name, read from the file at each call.

    The caller keeps them, and builds from them an object with a parameter for each name, so that none can be missing.
    """
    with open(f"{_PACKAGE}/{capability}/words/{language}.json", "rb", 0) as file:  # noqa: PTH123 - a third of the time
        words: dict[str, Any] = json.decode(file.read())
    return words
