"""Who gets which variant of a mailing, and who is held out of it to compare with: pure functions of two ids.

A customer's id follows from the client's own id of them, so whoever is deleted and imported again gets what they had.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import replace
from datetime import datetime
from hashlib import sha256
from math import log
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct, convert, to_builtins

from rebound.kernel.errors import FieldError
from rebound.messages.domain.winners import Choice, Untried, WinnerRule
from rebound.templates.domain.content import Said, read_said, written_said

WHOLE: Final = 10_000
"""All of a mailing's recipients, in hundredths of a percent, in which shares are kept."""
MAX_NAME: Final = 30
MOST: Final = 5
"""Variants of one mailing."""
MAX_HOLDOUT: Final = 50
"""In percent."""
_BITS: Final = 53
_HOLDOUT: Final = "holdout"
_TEST: Final = "test"
REST: Final = "rest"
"""In place of a variant's name: who gets the winner, once it was tried on others."""
_KEPT: Final = tuple[WinnerRule | None, datetime | None, Choice | None]


def share_problems(shares: Sequence[tuple[str, int]]) -> list[FieldError]:
    """What is wrong with the names of variants, in their order, and with their shares, in hundredths of a percent."""
    names = [name for name, _ in shares]
    wrong = [
        FieldError(f"variants[{number}].name", "Is the name of another variant.")
        for number, name in enumerate(names)
        if name in names[:number]
    ]
    total = sum(share for _, share in shares)
    if shares and total != WHOLE:
        wrong.append(FieldError("variants", f"The shares must be 100 together; they are {in_percent(total):g}."))
    return wrong


def in_percent(hundredths: int) -> float:
    """A share as people write it."""
    return hundredths / 100


def draw(test_id: str, customer_id: str, about: str) -> float:
    """A number above 0 and below 1: evenly spread over customers, and of each about something else another one."""
    drawn = sha256(f"{test_id}\x1f{about}\x1f{customer_id}".encode()).digest()
    return ((int.from_bytes(drawn[:8]) >> (64 - _BITS)) + 0.5) / (1 << _BITS)


class Variant(Struct, frozen=True):
    """One of the things that a mailing says. ``share`` is in hundredths of a percent of those who are not held out.

    ``content`` is ``None`` where only the shares are known.
    """

    name: str
    share: int
    content: Said | None = None


class Split(Struct, frozen=True):
    """How a mailing divides those whom it would be sent to.

    ``holdout``, in hundredths of a percent of all of them, get nothing. The others get one of the ``variants``, whose
    shares are ``WHOLE`` together; without any, everybody gets the same. Who draws what depends on ``test_id``, the id
    of the campaign, so that another one holds out others; what is sent again to some of its people keeps their draws.

    With a ``winner``, only some get their variant at once. ``decides_at``, known once the mailing begins, is when the
    one that the rest get is ``chosen``; until then they wait. ``untried`` says how many have been found who have not
    got what is tried on them.
    """

    test_id: str
    variants: tuple[Variant, ...] = ()
    holdout: int = 0
    winner: WinnerRule | None = None
    decides_at: datetime | None = None
    chosen: Choice | None = None
    untried: Untried | None = None

    def is_of_the_rest(self, customer_id: str) -> bool:
        """Whether the customer gets the winner. With a larger test share, nobody is moved out of the test."""
        winner = self.winner
        return winner is not None and draw(self.test_id, customer_id, _TEST) >= winner.test_share / WHOLE

    @property
    def awaited_at(self) -> datetime | None:
        """When the winner is chosen, while the rest wait for it; it may be late."""
        return None if self.winner is None or self.chosen is not None else self.decides_at

    def waits_until(self, customer_id: str) -> datetime | None:
        """Until when the customer waits for the winner, if they do."""
        return self.awaited_at if self.is_of_the_rest(customer_id) else None

    def holds_out(self, customer_id: str) -> bool:
        """Whether the customer gets nothing. With a larger holdout, nobody is let in who was held out before."""
        return self.holdout > 0 and draw(self.test_id, customer_id, _HOLDOUT) < self.holdout / WHOLE

    def drawn_by(self, customer_id: str) -> Variant | None:
        """The variant of the customer, also of one who is held out; ``None`` where there are none.

        Each variant has a clock that goes off at random, the sooner the larger its share, and the first is taken: so
        each is taken in just its share of cases, and where one share grows, nobody moves but to that variant. Neither
        their order nor what they say matters.
        """
        if not self.variants:
            return None
        if self.is_of_the_rest(customer_id):
            # Who asks before it is chosen is told of the first: something is said to them in any case.
            chosen = None if self.chosen is None else self.chosen.name
            return next((each for each in self.variants if each.name == chosen), self.variants[0])
        return min(
            self.variants,
            key=lambda each: (-log(draw(self.test_id, customer_id, f"variant {each.name}")) / each.share, each.name),
        )

    def variant_of(self, customer_id: str) -> str | None:
        """The name of the variant that the customer gets; ``None`` where there are none, and for who is held out.

        That of the rest is ``REST``, whichever they get: they are compared with nobody.
        """
        if not self.variants or self.holds_out(customer_id):
            return None
        if self.is_of_the_rest(customer_id):
            return REST
        drawn = self.drawn_by(customer_id)
        return None if drawn is None else drawn.name

    @property
    def names(self) -> tuple[str, ...]:
        """By which messages are told apart: those of the variants, in their order, and ``REST``, if there is one."""
        return (*(each.name for each in self.variants), *(() if self.winner is None else (REST,)))

    def counts(self, customer_ids: Collection[str]) -> Mapping[str, int]:
        """How many of these customers get each variant, in the order of the variants."""
        if not self.variants:
            return MappingProxyType({})
        found = dict.fromkeys(self.names, 0)
        for customer_id in customer_ids:
            name = self.variant_of(customer_id)
            if name is not None:
                found[name] += 1
        return MappingProxyType(found)


def drawn_anew(split: Split | None, test_id: str) -> Split | None:
    """The same division for another campaign, which draws anew, and tries anew what is best."""
    return None if split is None else replace(split, test_id=test_id, decides_at=None, chosen=None, untried=None)


def shares_alone(split: Split | None) -> Split | None:
    """The division without what its variants say."""
    if split is None:
        return None
    return replace(split, variants=tuple(replace(each, content=None) for each in split.variants))


def split_of(test_id: str, variants: Sequence[Variant], holdout: int, winner: WinnerRule | None = None) -> Split | None:
    """The division; ``None`` where everybody gets the same. Of variants alone there is a winner."""
    return Split(test_id, tuple(variants), holdout, winner if variants else None) if variants or holdout else None


def written_split(split: Split) -> dict[str, Any]:
    """The division as JSON, in the form in which rows keep it."""
    variants = [
        {"name": each.name, "share": each.share, "content": each.content and written_said(each.content)}
        for each in split.variants
    ]
    kept = {"test_id": split.test_id, "holdout": split.holdout, "variants": variants}
    if split.winner is not None:
        kept["winner"] = to_builtins([split.winner, split.decides_at, split.chosen])
    if split.untried is not None:
        kept["untried"] = to_builtins(split.untried)
    return kept


def read_split(document: Mapping[str, Any]) -> Split:
    """What a row keeps of it."""
    variants = tuple(
        Variant(each["name"], each["share"], each["content"] and read_said(each["content"]))
        for each in document["variants"]
    )
    winner = convert(document.get("winner") or (None, None, None), _KEPT)
    untried = convert(document.get("untried"), Untried | None)
    return Split(document["test_id"], variants, document["holdout"], *winner, untried)
