"""The words that mean something by themselves when they are texted."""

import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Keyword(StrEnum):
    """What a word asks for."""

    STOP = "stop"
    """No more texts of any kind."""
    START = "start"
    """What a STOP took is back."""
    HELP = "help"
    """Who is this?"""


WORDS: Final[Mapping[str, Keyword]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("stop", "stopall", "unsubscribe", "end", "quit", "cancel", "revoke", "optout"),
            Keyword.STOP,
        ),
        **dict.fromkeys(("start", "yes", "unstop"), Keyword.START),
        **dict.fromkeys(("help", "info"), Keyword.HELP),
    }
)


def plain(body: str) -> str:
    """The letters and digits of a text, in one case: what is left of ``*Stop* 🛑`` is ``stop``."""
    folded = unicodedata.normalize("NFKC", body).casefold()
    return "".join(character for character in folded if character.isalnum())
