"""Caps: a window of exact length, one place for each message, and never more than there are."""

from copy import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.businesses.domain.frequency import Frequency, FrequencyCap, HandOver, longest_window
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from tests.fakes.making import BUSINESS_ID, at, business, id_of

DAY = timedelta(days=1)
WEEKLY = FrequencyCap("Weekly", (Category.MARKETING,), at_most=2, within_days=7)
LOYALTY = FrequencyCap("Loyalty", (Category.LOYALTY,), at_most=1, within_days=7, per_segment=True)
MOMENT = timedelta(microseconds=1)


def make_cap(given: dict[str, Any]) -> FrequencyCap:
    return FrequencyCap(**given)


def make_hand_over(given: dict[str, Any]) -> HandOver:
    return HandOver(**given)


caps = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["A", "B", "C"]),
        "categories": st.sets(
            st.sampled_from([Category.MARKETING, Category.LOYALTY, Category.REMINDER]), min_size=1
        ).map(tuple),
        "at_most": st.integers(1, 3),
        "within_days": st.integers(1, 4),
        "channel": st.none() | st.sampled_from(Channel),
        "per_segment": st.booleans(),
    }
).map(make_cap)
wishes = st.fixed_dictionaries(
    {
        "message_id": st.integers(0, 30).map(str),
        "at": st.integers(0, 60).map(lambda hours: at(hours * 7200)),
        "category": st.sampled_from([Category.MARKETING, Category.LOYALTY]),
        "channel": st.sampled_from(Channel),
        "segment_id": st.sampled_from([None, "vips", "new"]),
    }
).map(make_hand_over)


def nothing() -> Frequency:
    return Frequency(BUSINESS_ID, id_of(1))


def marketing(name: str, when: datetime, **given: Any) -> HandOver:
    return replace(HandOver(name, when, Category.MARKETING, Channel.EMAIL), **given)


def handed(*hand_overs: HandOver) -> Frequency:
    return replace(nothing(), hand_overs=hand_overs)


# --- one cap ----------------------------------------------------------------------------------------------------------


def test_a_place_is_taken_until_the_very_moment_at_which_the_window_is_over() -> None:
    known = handed(marketing("a", at(0)), marketing("b", at(0) + DAY))

    def free(when: datetime) -> datetime | None:
        return known.free_again_at([WEEKLY], marketing("c", when))

    assert free(at(0) + DAY) == at(0) + 7 * DAY
    assert free(at(0) + 7 * DAY - MOMENT) == at(0) + 7 * DAY
    assert free(at(0) + 7 * DAY) is None


def test_days_are_times_of_24_hours_whatever_the_clocks_do() -> None:
    # New York goes back to winter time on 1 November 2026.
    before = datetime(2026, 10, 31, 14, tzinfo=UTC)
    cap = replace(WEEKLY, at_most=1, within_days=2)

    assert handed(marketing("a", before)).free_again_at([cap], marketing("b", before + DAY)) == before + 2 * DAY


def test_one_who_has_had_more_than_a_narrower_cap_allows_is_free_when_all_but_enough_are_over() -> None:
    known = handed(*(marketing(str(n), at(0) + n * DAY) for n in range(4)))

    assert known.free_again_at([WEEKLY], marketing("x", at(0) + 4 * DAY)) == at(0) + 9 * DAY
    assert known.free_again_at([replace(WEEKLY, at_most=4)], marketing("x", at(0) + 4 * DAY)) == at(0) + 7 * DAY


@pytest.mark.parametrize(
    ("cap", "covers"),
    [
        (WEEKLY, {(Category.MARKETING, Channel.EMAIL), (Category.MARKETING, Channel.SMS)}),
        (replace(WEEKLY, channel=Channel.SMS), {(Category.MARKETING, Channel.SMS)}),
        (replace(WEEKLY, categories=()), set()),
    ],
)
def test_a_cap_counts_its_categories_on_its_channel_and_nothing_else(
    cap: FrequencyCap, covers: set[tuple[Category, Channel]]
) -> None:
    found = {(category, channel) for category in Category for channel in Channel if cap.covers(category, channel)}

    assert found == covers
    assert {(c, ch) for c in Category for ch in Channel if business(frequency_caps=(cap,)).is_capped(c, ch)} == covers


def test_across_channels_a_text_takes_the_place_of_an_email_and_on_one_channel_it_does_not() -> None:
    known = handed(marketing("a", at(0)), marketing("b", at(0), channel=Channel.SMS))
    email = marketing("c", at(1))

    assert known.free_again_at([WEEKLY], email) == at(0) + 7 * DAY
    assert known.free_again_at([replace(WEEKLY, channel=Channel.EMAIL)], email) is None


@pytest.mark.parametrize(
    ("earlier", "later", "free"),
    [("vips", "vips", False), ("vips", "new", True), (None, None, False), (None, "vips", True), ("vips", None, True)],
)
def test_segments_count_apart_and_what_has_none_counts_as_one_more(
    earlier: str | None, later: str | None, free: bool
) -> None:
    known = handed(HandOver("a", at(0), Category.LOYALTY, Channel.EMAIL, earlier))
    wanted = HandOver("b", at(1), Category.LOYALTY, Channel.EMAIL, later)

    assert (known.free_again_at([LOYALTY], wanted) is None) is free
    assert known.free_again_at([replace(LOYALTY, per_segment=False)], wanted) is not None


def test_of_several_caps_the_customer_is_free_when_all_have_room() -> None:
    known = handed(marketing("a", at(0)))
    one, other = replace(WEEKLY, at_most=1), replace(WEEKLY, at_most=1, within_days=30)

    assert known.free_again_at([one, other], marketing("b", at(1))) == at(0) + 30 * DAY
    assert known.free_again_at([other, one], marketing("b", at(1))) == at(0) + 30 * DAY
    assert known.free_again_at([], marketing("b", at(1))) is None


# --- places -----------------------------------------------------------------------------------------------------------


def test_a_messages_own_place_is_none_against_it_and_moves_with_it() -> None:
    cap = replace(WEEKLY, at_most=1)
    known = nothing().reserving(marketing("a", at(0), attempt=1), [cap])
    again = marketing("a", at(60), attempt=2)

    assert known.free_again_at([cap], again) is None
    assert known.reserving(again, [cap]).hand_overs == (again,)


def test_only_who_holds_the_chunk_since_gives_a_place_back() -> None:
    known = handed(marketing("a", at(0), attempt=2), marketing("b", at(0)))

    assert known.releasing("a", 1) == known
    assert known.releasing("a", 2) == known.releasing("a", 3) == handed(marketing("b", at(0)))
    assert known.releasing("c", 9) == known


def test_a_row_keeps_what_the_longest_cap_looks_at_and_no_more() -> None:
    longest = replace(WEEKLY, within_days=30)
    known = handed(marketing("a", at(0) - 31 * DAY), marketing("b", at(0) - 29 * DAY))
    after = known.reserving(marketing("c", at(0)), [WEEKLY, longest])

    assert [place.message_id for place in after.hand_overs] == ["b", "c"]
    assert (longest_window([WEEKLY, longest]), longest_window([])) == (30 * DAY, timedelta())


@given(st.lists(wishes, max_size=30, unique_by=lambda w: w.message_id), st.lists(caps, min_size=1, max_size=4))
def test_whoever_takes_a_place_only_where_there_is_room_never_exceeds_a_cap(
    wanted: list[HandOver], rules: list[FrequencyCap]
) -> None:
    frequency = nothing()
    taken: list[HandOver] = []
    for wish in sorted(wanted, key=lambda w: w.at):
        if frequency.free_again_at(rules, wish) is None:
            frequency = frequency.reserving(wish, rules)
            taken.append(wish)

    for cap in rules:
        for last in taken:
            if cap.covers(last.category, last.channel):
                inside = [
                    other
                    for other in taken
                    if cap.covers(other.category, other.channel)
                    and (not cap.per_segment or other.segment_id == last.segment_id)
                    and last.at - cap.window < other.at <= last.at
                ]
                assert len(inside) <= cap.at_most


@given(st.lists(wishes, max_size=12), st.lists(caps, min_size=1, max_size=4), wishes)
def test_the_date_of_being_free_is_the_first_at_which_there_is_room(
    known: list[HandOver], rules: list[FrequencyCap], wish: HandOver
) -> None:
    frequency = handed(*known)
    free = frequency.free_again_at(rules, wish)
    if free is None:
        return
    later = replace(wish, at=free)

    assert free > wish.at
    assert frequency.free_again_at(rules, later) is None
    assert frequency.free_again_at(rules, replace(wish, at=free - MOMENT)) == free


@given(
    st.lists(st.tuples(wishes, st.booleans()), max_size=12, unique_by=lambda drawn: drawn[0].message_id), st.randoms()
)
def test_places_taken_and_given_back_end_the_same_in_any_order(
    drawn: list[tuple[HandOver, bool]], chance: Random
) -> None:
    forever = [replace(WEEKLY, within_days=90)]

    def ended(order: list[tuple[HandOver, bool]]) -> Frequency:
        frequency = nothing()
        for wish, stays in order:
            frequency = frequency.reserving(wish, forever)
            if not stays:
                frequency = frequency.releasing(wish.message_id, wish.attempt)
        return frequency

    shuffled = list(drawn)
    chance.shuffle(shuffled)
    assert ended(shuffled) == ended(drawn)
    assert {place.message_id for place in ended(drawn).hand_overs} == {
        wish.message_id for wish, stays in drawn if stays
    }


def test_a_cap_that_does_not_cover_a_message_says_nothing_of_it() -> None:
    full = handed(*(marketing(str(number), at(0)) for number in range(3)))
    reminder = replace(marketing("x", at(1)), category=Category.REMINDER)

    assert [state.cap for state in full.states([LOYALTY, WEEKLY], marketing("x", at(1)))] == [WEEKLY]
    assert full.states([LOYALTY, WEEKLY], reminder) == ()
    assert full.free_again_at([LOYALTY, WEEKLY], reminder) is None
