"""How large a text message is: its encoding, its segments, and the characters that make it larger than it need be.

A segment of an SMS has 140 bytes: 160 septets of GSM-7 or 70 UTF-16 units of UCS-2. Each of several begins with a
header of six bytes that says where it belongs, which leaves 153 and 67. Sources: 3GPP TS 23.038 (the alphabets), TS
23.040 9.2.3.24 (the header).
"""

import re
import unicodedata
from collections.abc import Container, Iterator, Mapping
from enum import Enum, StrEnum
from typing import Final

from msgspec import Struct

from rebound.templates.domain.content import MAX_TEXT_CHARACTERS


class TextEncoding(StrEnum):
    """How the characters of a text are sent; one that GSM-7 has not makes the whole text UCS-2."""

    GSM_7 = "GSM-7"
    UCS_2 = "UCS-2"


BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""GSM-7's default alphabet, a septet each."""
EXTENSION: Final = frozenset("\f^{}\\[~]|€")
"""GSM-7's extension table: an escape before each, two septets."""
ALPHABET: Final = BASIC | EXTENSION
_ROOM: Final[Mapping[TextEncoding, tuple[int, int]]] = {TextEncoding.GSM_7: (160, 153), TextEncoding.UCS_2: (70, 67)}
"""Units of a text's only segment, and of each of several."""


class TextSize(Struct, frozen=True):
    """The size of a text. ``units`` are septets or UTF-16 units, without headers; ``left`` fit in its last segment."""

    encoding: TextEncoding
    segments: int
    units: int
    left: int


class Offender(Struct, frozen=True):
    """What GSM-7 has not: as people see one ``character``, which may be several of Unicode.

    ``index`` counts the Unicode characters before it. ``replacement`` says the same in GSM-7, ``None`` where nothing
    does, and within the address of a link.
    """

    character: str
    index: int
    replacement: str | None


def size_of_text(text: str) -> TextSize:
    """How large a text is, an empty one a segment without units.

    The two septets of an escaped character, and what people see as one character, are not divided between segments
    (as Twilio does it), unless one is larger than a segment.
    """
    encoding = TextEncoding.GSM_7 if ALPHABET.issuperset(text) else TextEncoding.UCS_2
    alone, each = _ROOM[encoding]
    gsm = encoding is TextEncoding.GSM_7
    units = len(text) + sum(map(text.count, EXTENSION)) if gsm else _utf16_units(text)
    if units <= alone:
        return TextSize(encoding, 1, units, alone - units)
    sizes = (2 if character in EXTENSION else 1 for character in text) if gsm else _sizes(text, each)
    segments, left = 1, each
    for size in sizes:
        if size > left:
            segments, left = segments + 1, each
        left -= size
    return TextSize(encoding, segments, units, left)


def offenders(text: str) -> list[Offender]:
    """What makes a text UCS-2, in its order; empty for one in GSM-7."""
    if ALPHABET.issuperset(text):
        return []
    same, links = _SAME if _reads_right_to_left(text) else _SAME_AND_UNSEEN, list(_links(text))
    found: list[Offender] = []
    index = 0
    for character in visible_characters(text):
        if not ALPHABET.issuperset(character):
            in_link = any(index in link for link in links)
            found.append(Offender(character, index, None if in_link else _replacement(character, same)))
        index += len(character)
    return found


def simplified(text: str) -> str:
    """The text with the replacement of each offender, where that makes it GSM-7 and saves a segment; else as it is.

    It never becomes longer than a text may be.
    """
    parts, end = [], 0
    for each in offenders(text):
        if each.replacement is None:
            return text
        parts += [text[end : each.index], each.replacement]
        end = each.index + len(each.character)
    simple = "".join(parts) + text[end:]
    is_smaller = size_of_text(simple).segments < size_of_text(text).segments
    return simple if is_smaller and len(simple) <= MAX_TEXT_CHARACTERS else text


def _utf16_units(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def _sizes(text: str, most: int) -> Iterator[int]:
    """The UTF-16 units of what may not be divided."""
    for character in visible_characters(text):
        units = _utf16_units(character)
        if units <= most:
            yield units
        else:
            yield from map(_utf16_units, character)


# --- what people see as one character ---------------------------------------------------------------------------------

_JOINER: Final = "\u200d"
_FIRST_COMBINING: Final = "\u0300"
_EXTENDING: Final = frozenset({"Mn", "Me", "Mc"})
_MORE_EXTENDING: Final = frozenset(
    {
        "\u200c",
        _JOINER,
        "\uff9e",
        "\uff9f",
        *map(chr, range(0x1F3FB, 0x1F400)),
        *map(chr, range(0xE0020, 0xE0080)),
    }
)
"""What belongs to the character before although its category does not say so: joiners, skin tones, tags of flags."""


def visible_characters(text: str) -> Iterator[str]:
    """The parts of a text that people see as one character each (UAX 29: extended grapheme clusters).

    A line break of two characters is two here, as Twilio counts it. Letters that are written before the one they
    belong to (a few of Arabic and Syriac numbering) stand alone.
    """
    start = 0
    for place in range(1, len(text)):
        if text[place] < _FIRST_COMBINING or not _belongs(text, start, place):
            yield text[start:place]
            start = place
    if text:
        yield text[start:]


def _belongs(text: str, start: int, place: int) -> bool:
    """Whether the character at a place belongs to what begins at ``start``."""
    before, here = text[place - 1], text[place]
    if unicodedata.category(before) in {"Cc", "Zl", "Zp"}:
        return False
    if here in _MORE_EXTENDING or unicodedata.category(here) in _EXTENDING:
        return True
    if before == _JOINER:
        return _is_picture(here) and _is_picture(text[start])
    if _is_half_a_flag(here):
        return _is_half_a_flag(before) and (place - start) % 2 == 1
    return _syllable(here) in _FOLLOWS[_syllable(before)]


def _is_picture(character: str) -> bool:
    return unicodedata.category(character) in {"So", "Cn"} or character in "©®‼⁉™↔⤴⤵〰〽㊗㊙"


def _is_half_a_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


class _Hangul(Enum):
    """What a character is of a Korean syllable."""

    NOTHING = ()
    LEADING = (range(0x1100, 0x1160), range(0xA960, 0xA97D))
    VOWEL = (range(0x1160, 0x11A8), range(0xD7B0, 0xD7C7))
    FINAL = (range(0x11A8, 0x1200), range(0xD7CB, 0xD7FC))
    OPEN = (range(0xAC00, 0xD7A4, 28),)
    """A syllable with a code of its own, without a final."""
    CLOSED = (range(0xAC00, 0xD7A4),)
    """Any other of these."""


_FOLLOWS: Final[Mapping[_Hangul, Container[_Hangul]]] = {
    _Hangul.NOTHING: (),
    _Hangul.LEADING: (_Hangul.LEADING, _Hangul.VOWEL, _Hangul.OPEN, _Hangul.CLOSED),
    _Hangul.VOWEL: (_Hangul.VOWEL, _Hangul.FINAL),
    _Hangul.FINAL: (_Hangul.FINAL,),
    _Hangul.OPEN: (_Hangul.VOWEL, _Hangul.FINAL),
    _Hangul.CLOSED: (_Hangul.FINAL,),
}


def _syllable(character: str) -> _Hangul:
    code = ord(character)
    return next((part for part in _Hangul if any(code in each for each in part.value)), _Hangul.NOTHING)


# --- what says the same -----------------------------------------------------------------------------------------------

_SAME: Final[Mapping[str, str]] = {
    **dict.fromkeys("“”„‟″«»〝〞❝❞", '"'),
    **dict.fromkeys("‘’‚‛‹›′ʹʼ`´❛❜", "'"),
    **dict.fromkeys("‐‑‒–—―−⁃", "-"),
    **dict.fromkeys(
        "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "
    ),
    **dict.fromkeys("\u0085\u2028\u2029", "\n"),
    **dict.fromkeys("\u00ad\u200b\u2060\ufeff", ""),
    "…": "...",
    "‥": "..",
    "⁄": "/",
    "∕": "/",
    "ﬁ": "fi",
    "ﬂ": "fl",
    **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
}
"""Quotes, dashes, spaces, what cannot be seen, other ways to write the same. An accent is part of a word: á is no a."""
_SAME_AND_UNSEEN: Final[Mapping[str, str]] = {
    **_SAME,
    **dict.fromkeys("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", ""),
}
"""And marks of direction, which come with a number that is copied from a phone's address book."""


_LINK: Final = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_AFTER_A_LINK: Final = ".,:;!?)]}\"'" + "".join(_SAME_AND_UNSEEN)
"""What ends a sentence rather than belongs to the address before it."""


def _links(text: str) -> Iterator[range]:
    """The places of addresses, in which another character would lead elsewhere."""
    for found in _LINK.finditer(text):
        yield range(found.start(), found.start() + len(found[0].rstrip(_AFTER_A_LINK)))


def _reads_right_to_left(text: str) -> bool:
    """Whether any of it does, so that marks of direction have a meaning."""
    return any(unicodedata.bidirectional(character) in {"R", "AL", "AN"} and character.isalnum() for character in text)


def _replacement(character: str, same: Mapping[str, str]) -> str | None:
    composed = unicodedata.normalize("NFC", character)
    simple = same.get(character, composed)
    return simple if simple != character and ALPHABET.issuperset(simple) else None
