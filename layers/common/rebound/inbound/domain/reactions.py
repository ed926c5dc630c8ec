"""Reactions of phones: what an iPhone or Google Messages sends as a text where only texts arrive.

``Loved “See you at ten”``, ``👍 to “See you at ten”``, ``Removed a heart from an image``: the phone wrote it, in the
words of its own language, and repeats ours. It says nothing about being texted, whatever the repeated text says.
"""

import re
from functools import cache
from pathlib import Path
from typing import Final

from msgspec import Struct, json

from rebound.inbound.domain.wording import folded, visible

_QUOTE: Final = re.compile(
    r"""[\u201c\u201d\u201e\u201f\u00ab\u2039\u300c\u300e"] .* [\u201c\u201d\u201f\u00bb\u203a\u300d\u300f"]
    | (?<!\w) [\u2018\u201a'] .* [\u2019\u2018'] (?!\w)""",
    re.DOTALL | re.VERBOSE,
)
"""From the first to the last mark of a quotation, in the marks of any language."""
_WORD: Final = re.compile(r"\w+")
_MOST_WORDS: Final = 12
_EMOJI: Final = re.compile(r"[\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]")


class _Vocabulary(Struct, frozen=True, forbid_unknown_fields=True):
    """The words that phones put around what they repeat, of all languages together."""

    reacts: frozenset[str]
    """What somebody did."""
    takes_back: frozenset[str]
    """That somebody took a reaction back, in words that are also those of people who want to be removed."""
    marks: frozenset[str]
    """What a reaction looks like."""
    things: frozenset[str]
    """What is reacted to where nothing is repeated."""
    between: frozenset[str]
    """All other words."""

    @property
    def all(self) -> frozenset[str]:
        """Every word."""
        return self.reacts | self.takes_back | self.marks | self.things | self.between


@cache
def _vocabulary() -> _Vocabulary:
    path = Path(__file__).parent.with_name("phrases") / "reactions.json"
    return json.decode(path.read_bytes(), type=_Vocabulary)


def is_reaction(body: str) -> bool:
    """Whether a phone wrote the text as a reaction to one of ours.

    All that stands outside of the repeated text must be words that phones use, so that an answer which repeats our text
    is not lost.
    """
    text = visible(body).strip()
    quote = _QUOTE.search(text)
    around = f"{text[: quote.start()]} {text[quote.end() :]}" if quote else text
    words = set(_WORD.findall(folded(around)))
    known = _vocabulary()
    if not words or len(words) > _MOST_WORDS or not words <= known.all:
        return False
    has_mark = bool(words & known.marks) or bool(_EMOJI.search(around))
    reacts = bool(words & known.reacts) or (bool(words & known.takes_back) and (has_mark or quote is not None))
    if quote is not None:
        return reacts or bool(_EMOJI.search(around))
    return reacts and bool(words & known.things)
