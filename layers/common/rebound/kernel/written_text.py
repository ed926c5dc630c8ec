"""Text as people type and paste it: how it is kept, and how two texts are compared."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

_FIRST_PRINTABLE: Final = 0x20
_FLAG: Final = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,7}\U000e007f"
"""The flag of England and the like: a black flag, a region in tags, and the tag that ends it (UTS #51, ED-14a)."""
_INVISIBLE: Final = re.compile(
    f"({_FLAG})|"
    "[\u00ad\u034f\u061c\u180b-\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0001-\U000e0fff]"
)
"""What no reader sees: marks of direction, soft hyphens, breaks of no width, tags. They come with copied text.

The two joiners (U+200C, U+200D) are not among them: inside a word of Persian or Hindi, and in emoji, they are read.
Neither are the tags of a flag, which is the group.
"""
_SPACES: Final = re.compile("[\t\u00a0\u115f\u1160\u1680\u2000-\u200a\u202f\u205f\u2800\u3000\u3164\uffa0]")
"""Spaces of all widths, the tab, and letters that look like nothing."""
_JOINERS: Final = "\u200c\u200d"
_AROUND: Final = f" \r\n\v\f\x85\u2028\u2029{_JOINERS}"
_UNSEEN_ALONE: Final = frozenset({"Mn", "Me", "Cf"})
"""Marks that need a letter to stand on."""
_UNSEEN_CATEGORIES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})

_ACCENTS: Final = re.compile("[\ufe00-\ufe0f\u0300-\u036f\u0483-\u0487\u05b0-\u05c7\u0610-\u061a\u064b-\u065f\u0670]")
"""Marks on letters of Latin, Greek, Cyrillic, Hebrew and Arabic, where people leave them out; not vowels of others."""
_STROKES: Final = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02b9\u02bb\u02bc\u02bd\u00b4`\uff07", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\uff02", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d", "-"),
        "\u00f8": "o",
        "\u0142": "l",
        "\u0111": "d",
        "\u00f0": "d",
        "\u0127": "h",
        "\u0131": "i",
        "\u00e6": "ae",
        "\u0153": "oe",
        "\u00fe": "th",
        "\u0640": None,
        "\u200c": None,
        "\u200d": None,
    }
)
"""Shapes of quotes, apostrophes and dashes; letters with a stroke, which have no accent to take off; joiners."""


def tidied(text: str) -> str:
    """A line without invisible marks, with plain spaces, and with nothing around it.

    Joiners inside stay. What is left may still be no line: see ``is_one_line``.
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    plain = _SPACES.sub(" ", _INVISIBLE.sub(r"\1", text)).strip(_AROUND)
    return "" if all(unicodedata.category(character) in _UNSEEN_ALONE for character in plain) else plain


def is_blank(text: str) -> bool:
    """Whether nothing of a text can be seen."""
    return not text.strip() or (not text.isascii() and not tidied(text))


def is_one_line(text: str) -> bool:
    """Whether a tidied text has no control characters and no breaks of lines."""
    return text.isprintable() or not any(unicodedata.category(character) in _UNSEEN_CATEGORIES for character in text)


def folded(text: str) -> str:
    """A text as it is compared: without case, accents, invisible marks, and the shapes of quotes, dashes and spaces.

    Composed and decomposed letters are the same, and so are full-width and plain ones, and the digits of all scripts.
    """
    if text.isascii():
        return " ".join(text.casefold().replace("`", "'").split())
    return _folded(text)


@lru_cache(maxsize=4096)
def _folded(text: str) -> str:
    plain = _SPACES.sub(" ", _INVISIBLE.sub(r"\1", text))
    plain = "".join(str(unicodedata.decimal(each)) if each.isdecimal() else each for each in plain)
    for _ in range(2):
        # Twice, because a letter without its accent can be one with a stroke, and folding of case can leave an accent.
        plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", plain.translate(_STROKES))).casefold()
    return " ".join(unicodedata.normalize("NFC", plain).split())


def one_line(value: str) -> str:
    """The text as it is kept, if it is one line. Raises ``ValueError`` with a sentence for people."""
    line = tidied(value)
    if not is_one_line(line):
        raise ValueError("Must be one line without control characters.")
    if value and not line:
        raise ValueError("Must have something that can be read.")
    return line


def readable(value: str) -> str:
    """The text itself, if people can read it. Raises ``ValueError`` with a sentence for people."""
    if any(ord(character) < _FIRST_PRINTABLE and character not in "\t\n\r" for character in value):
        raise ValueError("Must have no control characters but tabs and line breaks.")
    return value
