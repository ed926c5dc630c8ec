"""The languages in which Rebound itself writes to customers, and which of them somebody reads."""

from __future__ import annotations

from typing import Final

LANGUAGES: Final = ("de", "en", "es", "fr", "pt")
"""ISO 639-1."""


def known_language(value: str) -> str:
    """One of the languages, in any case. Raises ``ValueError`` with a sentence for people."""
    language = value.strip().lower()
    if language not in LANGUAGES:
        raise ValueError(f"Must be one of {', '.join(LANGUAGES)}.")
    return language
