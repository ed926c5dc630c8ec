"""The words of a text that somebody typed, whatever surrounds, divides or decorates them."""

import re
import unicodedata
from typing import Final

BREAK: Final = ","
"""A word of its own in ``sentences``: a pause."""
QUESTION: Final = "?"
"""The last word of a sentence that asks."""
DOTTED: Final = re.compile(r"(?<!\w)(?:\w\.){2,}(?:\w(?!\w))?")
"""An abbreviation, ``a.u.b.``, or a word with dots between its letters."""
_CONTRACTION: Final = re.compile(r"(?<=[a-z])['\u2019\u02bc`](?=(?:t|s|m|d|ve|re|ll|all|em)\b)")
_NUMBER_SIGN: Final = re.compile(r"#(?!\w)")
_SENTENCE: Final = re.compile(r"([^.!?;\u2026\n\r\u00a1\u00bf]+)([.!?;\u2026\n\r\u00a1\u00bf]*)")
_WORD: Final = re.compile(r"\w+")
_PAUSE: Final = re.compile(r"[,:()\[\]\u2013\u2014/|\"\u201c\u201d\u201e\u00ab\u00bb]|(?<!\w)-+|-+(?!\w)")


def visible(body: str) -> str:
    """The text in compatibility form, without characters that show as nothing (zero width, marks of direction)."""
    return "".join(c for c in unicodedata.normalize("NFKC", body) if unicodedata.category(c) != "Cf")


def folded(text: str) -> str:
    """The text in lower case without accents, abbreviations without their dots and contractions in one word."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    plain = _NUMBER_SIGN.sub(" number ", _CONTRACTION.sub("", plain))
    return DOTTED.sub(undotted, plain)


def undotted(abbreviation: re.Match[str]) -> str:
    """What was found by ``DOTTED``, without its dots."""
    return abbreviation[0].replace(".", "")


def sentences(body: str) -> list[list[str]]:
    """The words of each sentence, in lower case without accents.

    A pause within a sentence is a ``BREAK``, and a question ends in ``QUESTION``.
    """
    found = []
    for sentence, end in _SENTENCE.findall(folded(visible(body))):
        words: list[str] = []
        for part in _PAUSE.split(sentence):
            if words and words[-1] != BREAK:
                words.append(BREAK)
            words.extend(_WORD.findall(part.replace("_", " ")))
        words = words[:-1] if words and words[-1] == BREAK else words
        if words:
            found.append([*words, QUESTION] if QUESTION in end else words)
    return found
