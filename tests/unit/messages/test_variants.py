"""Who gets which variant, and who is held out."""

from collections import Counter
from copy import replace
from math import sqrt
from random import Random
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.ids import id_of_external
from rebound.messages.domain.variants import (
    WHOLE,
    Split,
    Variant,
    drawn_anew,
    read_split,
    shares_alone,
    split_of,
    written_split,
)
from rebound.messages.domain.winners import Because, Choice, ChosenBy, Untried, WinnerRule
from rebound.templates.domain.content import EmailContent, MadeFrom, TemplateContent, TextContent
from tests.fakes.making import NOON

PEOPLE: Final = [id_of_external("salon", str(number)) for number in range(20_000)]
SOME: Final = PEOPLE[:400]


def split(*shares: int, holdout: int = 0, test_id: str = "test") -> Split:
    return Split(test_id, tuple(Variant(name, share) for name, share in zip("ABCDE", shares, strict=False)), holdout)


def is_near(count: int, expected: float, of: int) -> bool:
    """Within four standard deviations: one case in 16,000, and these ids are always the same."""
    share = expected / of
    return abs(count - expected) <= 4 * sqrt(of * share * (1 - share))


@pytest.mark.parametrize("holdout", [0, 1_000, 5_000])
@pytest.mark.parametrize("shares", [(5_000, 5_000), (3_340, 3_330, 3_330), (9_000, 1_000), (2_000,) * 5, (1, 9_999)])
def test_each_variant_has_its_share_of_those_who_are_not_held_out(shares: tuple[int, ...], holdout: int) -> None:
    divided = split(*shares, holdout=holdout)
    found = Counter(map(divided.variant_of, PEOPLE))
    left = len(PEOPLE) - found[None]

    assert is_near(found[None], len(PEOPLE) * holdout / WHOLE, len(PEOPLE))
    assert all(is_near(found[each.name], left * each.share / WHOLE, left) for each in divided.variants)
    assert divided.counts(PEOPLE) == {each.name: found[each.name] for each in divided.variants}


def test_who_is_held_out_says_nothing_of_the_variant_and_one_test_nothing_of_another() -> None:
    divided, other = split(5_000, 5_000, holdout=5_000), split(5_000, 5_000, holdout=5_000, test_id="other")
    drawn = {id_: (divided.drawn_by(id_), divided.holds_out(id_)) for id_ in PEOPLE}
    again = {id_: (other.drawn_by(id_), other.holds_out(id_)) for id_ in PEOPLE}

    for found in (Counter(drawn.values()), Counter((drawn[id_][0], again[id_][0]) for id_ in PEOPLE)):
        assert len(found) == 4
        assert all(is_near(count, len(PEOPLE) / 4, len(PEOPLE)) for count in found.values())
    both = sum(drawn[id_][1] and again[id_][1] for id_ in PEOPLE)
    assert is_near(both, len(PEOPLE) / 4, len(PEOPLE))


shares = st.lists(st.integers(1, WHOLE), min_size=2, max_size=5)


@given(shares, st.data())
def test_where_one_share_grows_nobody_moves_but_to_that_variant(before: list[int], data: st.DataObject) -> None:
    which = data.draw(st.integers(0, len(before) - 1))
    after = [share + data.draw(st.integers(1, WHOLE)) * (number == which) for number, share in enumerate(before)]
    one, other = split(*before), split(*after)
    moved = {(one.variant_of(id_), other.variant_of(id_)) for id_ in SOME}

    assert {to for was, to in moved if was != to} <= {"ABCDE"[which]}


@given(shares, st.randoms(use_true_random=False))
def test_neither_order_nor_content_moves_anybody(given_shares: list[int], random: Random) -> None:
    one = split(*given_shares)
    mixed = [replace(each, content=TextContent("Hello.")) for each in one.variants]
    random.shuffle(mixed)
    other = replace(one, variants=tuple(mixed))

    assert all(one.variant_of(id_) == other.variant_of(id_) for id_ in SOME)


@given(st.integers(0, WHOLE), st.integers(0, WHOLE))
def test_with_a_larger_holdout_nobody_is_let_in(one: int, other: int) -> None:
    small, large = split(holdout=min(one, other)), split(holdout=max(one, other))

    assert {id_ for id_ in SOME if small.holds_out(id_)} <= {id_ for id_ in SOME if large.holds_out(id_)}


def test_nobody_is_held_out_of_a_campaign_without_a_holdout_and_all_of_one_kept_from_everybody() -> None:
    assert not any(map(split().holds_out, SOME))
    assert all(map(split(holdout=WHOLE).holds_out, SOME))
    assert {split().variant_of(id_) for id_ in SOME} == {None}


def test_who_is_imported_again_has_the_variant_that_they_had() -> None:
    divided = split(5_000, 5_000, holdout=1_000)
    spelled = [id_of_external("salon", f" {number} ") for number in range(400)]

    assert [divided.variant_of(id_) for id_ in spelled] == [divided.variant_of(id_) for id_ in SOME]
    assert [divided.variant_of(id_) for id_ in SOME[:8]] == ["B", "B", "B", None, "B", "A", "B", "B"]


CONTENTS: Final = (
    EmailContent("Hello", None, "Come."),
    TextContent("Come.", EmailContent("Hello", "<p>Come.</p>")),
    TemplateContent(MadeFrom("spring", 3, {"price": {"amount": "1.00", "currency": "EUR"}})),
    None,
)


@given(st.lists(st.sampled_from(CONTENTS), max_size=5), st.integers(0, 5_000))
def test_a_row_keeps_it(contents: list[EmailContent | TextContent | TemplateContent | None], holdout: int) -> None:
    variants = tuple(Variant(f"{number} ~@", number + 1, each) for number, each in enumerate(contents))
    divided = Split("test", variants, holdout)

    assert read_split(written_split(divided)) == divided
    assert split_of("test", variants, holdout) == (divided if variants or holdout else None)
    assert drawn_anew(divided, "other") == replace(divided, test_id="other")
    waiting = replace(divided, winner=WinnerRule(2_000, 24, ChosenBy.DELIVERED, 5), decides_at=NOON)
    for each in (
        waiting,
        replace(waiting, untried=Untried(7, NOON)),
        replace(waiting, chosen=Choice("A", Because.MORE, 7)),
    ):
        assert read_split(written_split(each)) == each
        assert drawn_anew(each, "test") == replace(divided, winner=waiting.winner)
    assert shares_alone(divided) == replace(divided, variants=tuple(replace(v, content=None) for v in variants))
