"""The labelled set of replies: what it says of each text, and how what we make of them compares.

``labelled_replies.jsonl`` was written by somebody who had not seen the phrases, and is frozen: it is never edited, and
figures are measured on it. One half, chosen by a hash, may be looked at when phrases are written; the other is only
measured, so that its figures say what happens to texts that nobody has seen.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

from rebound.contacts.domain.replies import Keyword, Meaning
from rebound.inbound.domain.replies import IncomingText, understood

type Composition = Literal["NFC", "NFD", "NFKC", "NFKD"]
COMPOSITIONS: Final[tuple[Composition, ...]] = ("NFC", "NFD", "NFKC", "NFKD")
FROZEN: Final = Path(__file__).with_name("labelled_replies.jsonl")
FROZEN_DIGEST: Final = "95cf676d134f01e396cd915c9d92667985702691fd7d5c002f86cddc54f5b500"


class Outcome(StrEnum):
    """What should come of a text, or does."""

    STOP = "stop"
    HOLD = "hold"
    NONE = "none"


@dataclass(frozen=True)
class Labelled:
    """A text with its label. Labelled ``hold``, it may be stopped as well."""

    language: str
    body: str
    label: Outcome
    reaction: bool = False

    @property
    def may_be_looked_at(self) -> bool:
        """Whether it is in the half that may be looked at: by the first byte of its hash."""
        return sha256(f"{self.language}\n{self.body}".encode()).digest()[0] % 2 == 0


@dataclass(frozen=True)
class Figures:
    """How many of how many."""

    plain_missed: tuple[int, int]
    """Texts labelled ``stop`` that are neither stopped nor held."""
    plain_stopped: tuple[int, int]
    missed: tuple[int, int]
    """Texts labelled ``stop`` or ``hold`` that are neither stopped nor held."""
    held_in_vain: tuple[int, int]
    """Texts labelled ``none`` that are stopped or held."""

    def __str__(self) -> str:
        cells = (self.plain_missed, self.plain_stopped, self.missed, self.held_in_vain)
        return " | ".join(f"{some} of {all_} ({100 * some / all_:.1f} %)" for some, all_ in cells)


def labelled(path: Path = FROZEN) -> Sequence[Labelled]:
    """The texts of a file."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [Labelled(row["language"], row["body"], Outcome(row["label"]), bool(row.get("reaction"))) for row in rows]


@cache
def outcome_of(body: str, *languages: str) -> Outcome:
    """What comes of a text of somebody who speaks one of the languages."""
    text = IncomingText("SM1", "+14155560001", "+14155550100", ("+14155550100",), body)
    reply = understood(text, "salon-juniper", datetime(2026, 11, 20, tzinfo=UTC), languages=languages)
    if reply.keyword is Keyword.STOP:
        return Outcome.STOP
    return Outcome.HOLD if reply.meaning is Meaning.REVOCATION else Outcome.NONE


def figures_of(texts: Iterable[Labelled], *, knowing_the_language: bool = True) -> Figures:
    """The figures over some texts."""
    found = [(text, outcome_of(text.body, *([text.language] if knowing_the_language else []))) for text in texts]
    plain = [outcome for text, outcome in found if text.label is Outcome.STOP]
    revocations = [outcome for text, outcome in found if text.label is not Outcome.NONE]
    others = [outcome for text, outcome in found if text.label is Outcome.NONE]
    return Figures(
        (plain.count(Outcome.NONE), len(plain)),
        (plain.count(Outcome.STOP), len(plain)),
        (revocations.count(Outcome.NONE), len(revocations)),
        (len(others) - others.count(Outcome.NONE), len(others)),
    )
