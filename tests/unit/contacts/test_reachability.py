"""Reachability is a fold over evidence by event time: order, duplication and grouping of evidence do not matter."""

import random
from collections.abc import Sequence
from copy import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import (
    KEPT_PER_CODE,
    KEPT_VOIDED,
    REACHABLE,
    STANDARD_POLICY,
    Cleared,
    ClearedBy,
    Evidence,
    Failure,
    Reachability,
    ReachabilityPolicy,
    Voided,
)
from rebound.kernel.provider_codes import FailureClass, Provider, all_codes, look_up
from tests.fakes import strategies
from tests.fakes.making import NO_SUCH_MAILBOX, SOFT, at, contact_key

EMPTY = Reachability()


def bounce(seconds: float, code: str = NO_SUCH_MAILBOX, message_id: str = "m1") -> Failure:
    return Failure(at(seconds), message_id, Provider.SES, code)


def delivery(seconds: float, message_id: str = "m1") -> Cleared:
    return Cleared(at(seconds), ClearedBy.DELIVERY, message_id)


def flagged(*evidence: Evidence) -> bool:
    return EMPTY.join(*evidence).verdict(STANDARD_POLICY).invalid


@given(st.data(), st.lists(strategies.evidence, max_size=8))
def test_any_order_and_any_duplication_of_evidence_gives_the_same_state(
    data: st.DataObject, evidence: list[Evidence]
) -> None:
    again = data.draw(st.lists(st.sampled_from(evidence), max_size=4)) if evidence else []
    shuffled = data.draw(st.permutations([*evidence, *again]))
    one_by_one = EMPTY
    for item in shuffled:
        one_by_one = one_by_one.join(item)

    assert one_by_one == EMPTY.join(*evidence)
    assert one_by_one.verdict(STANDARD_POLICY) == EMPTY.join(*evidence).verdict(STANDARD_POLICY)


@given(
    st.lists(strategies.evidence, max_size=5),
    st.lists(strategies.evidence, max_size=5),
    st.lists(strategies.evidence, max_size=5),
)
def test_join_is_commutative_associative_and_idempotent(
    first: list[Evidence], second: list[Evidence], third: list[Evidence]
) -> None:
    state = EMPTY.join(*first)

    assert state.join(*second).join(*third) == state.join(*third).join(*second)
    assert state.join(*second).join(*third) == state.join(*second, *third)
    assert state.join(*second).join(*second) == state.join(*second)
    assert state.join() == state


def naive_verdict(evidence: Sequence[Evidence], policy: ReachabilityPolicy) -> tuple[bool, object]:
    """The rule read aloud: failures after the last clearing, in time order, each class counted to its threshold.

    Failures of a message that was voided are left out, whenever that was.
    """
    last = max((item.at for item in evidence if isinstance(item, Cleared)), default=None)
    voided = {item.message_id for item in evidence if isinstance(item, Voided)}
    later = [
        item
        for item in set(evidence)
        if isinstance(item, Failure) and (last is None or item.at > last) and item.message_id not in voided
    ]
    counts: dict[FailureClass, list[Failure]] = {}
    reached = []
    for item in sorted(later, key=lambda f: f.at):
        failure_class = look_up(item.provider, item.code).failure_class
        counts.setdefault(failure_class, []).append(item)
        if len(counts[failure_class]) == policy.thresholds.get(failure_class):
            reached.append(item.at)
    return bool(reached), min(reached, default=None)


@given(st.lists(strategies.evidence, max_size=12))
def test_the_verdict_is_what_the_rule_read_aloud_gives(evidence: list[Evidence]) -> None:
    policy = ReachabilityPolicy(MappingProxyType({FailureClass.INVALID: 1, FailureClass.UNREACHABLE: 3}))
    verdict = EMPTY.join(*evidence).verdict(policy)

    assert (verdict.invalid, verdict.since) == naive_verdict(evidence, policy)


@given(st.lists(st.integers(0, 200), min_size=1, max_size=60, unique=True), st.integers(1, 20), st.integers(0, 200))
def test_what_is_dropped_from_a_long_list_never_changes_a_verdict_of_up_to_20_failures(
    times: list[int], threshold: int, cleared_at: int
) -> None:
    policy = ReachabilityPolicy(MappingProxyType({FailureClass.UNREACHABLE: threshold}))
    soft = [bounce(time, SOFT, f"m{time}") for time in times]
    one_by_one = EMPTY.join(delivery(cleared_at))
    for failure in soft:
        one_by_one = one_by_one.join(failure)

    assert len(one_by_one.failures) <= KEPT_PER_CODE
    assert one_by_one.verdict(policy).invalid == (sum(time > cleared_at for time in times) >= threshold)


def test_a_bounce_that_is_older_than_a_known_delivery_does_not_flag() -> None:
    assert not flagged(delivery(10), bounce(9))


def test_a_delivery_that_is_older_than_the_last_bounce_does_not_clear() -> None:
    assert flagged(bounce(10), delivery(9))


def test_a_delivery_and_afterwards_a_bounce_for_one_message_ends_flagged_in_either_order() -> None:
    assert flagged(delivery(1), bounce(2))
    assert flagged(bounce(2), delivery(1))


def test_at_the_same_instant_the_delivery_wins() -> None:
    assert not flagged(bounce(5), delivery(5))


@pytest.mark.parametrize("by", list(ClearedBy))
def test_every_kind_of_clearing_clears(by: ClearedBy) -> None:
    assert not flagged(bounce(5), Cleared(at(6), by))


def test_a_bounce_after_an_edit_flags_again() -> None:
    assert flagged(bounce(1), Cleared(at(2), ClearedBy.EDIT), bounce(3, message_id="m2"))


@given(st.lists(strategies.failures(strategies.HARMLESS), max_size=40))
def test_failures_that_say_nothing_about_the_address_never_flag(failures: list[Failure]) -> None:
    assert EMPTY.join(*failures).verdict(STANDARD_POLICY) == REACHABLE


@pytest.mark.parametrize("provider", list(Provider))
def test_an_unknown_code_never_flags_however_often_it_comes(provider: Provider) -> None:
    unknown = [Failure(at(second), f"m{second}", provider, "brand-new-code") for second in range(50)]

    assert not EMPTY.join(*unknown).verdict(STANDARD_POLICY).invalid


@pytest.mark.parametrize(
    ("provider", "code"),
    [(row.provider, row.code) for row in all_codes() if row.failure_class is FailureClass.INVALID],
)
def test_one_failure_that_names_a_bad_address_flags(provider: Provider, code: str) -> None:
    verdict = EMPTY.join(Failure(at(1), "m1", provider, code)).verdict(STANDARD_POLICY)

    assert verdict.invalid
    assert verdict.reason == look_up(provider, code).reason
    assert verdict.since == at(1)


def test_soft_failures_flag_at_the_fifth_since_the_last_delivery_and_name_it() -> None:
    four = [bounce(second, SOFT, f"m{second}") for second in range(4)]
    verdict = EMPTY.join(*four, bounce(9, SOFT, "m9")).verdict(STANDARD_POLICY)

    assert not flagged(*four)
    assert verdict.invalid
    assert verdict.since == at(9)
    assert not flagged(*four, delivery(2.5), bounce(9, SOFT, "m9"))


def test_soft_failures_with_different_codes_count_together() -> None:
    mixed = [bounce(n, SOFT if n % 2 else "Transient/CustomTimeoutExceeded", f"m{n}") for n in range(5)]

    assert flagged(*mixed)


def test_another_policy_gives_another_verdict_from_the_same_evidence() -> None:
    state = EMPTY.join(bounce(1))
    never = ReachabilityPolicy(MappingProxyType({}))

    assert state.verdict(STANDARD_POLICY).invalid
    assert not state.verdict(never).invalid


def test_the_flag_dates_from_the_first_failure_that_was_enough() -> None:
    state = EMPTY.join(bounce(7, message_id="m2"), bounce(3), bounce(9, message_id="m3"))

    assert state.verdict(STANDARD_POLICY).since == at(3)


def test_a_message_that_was_voided_does_not_flag_whenever_its_bounce_comes_and_however_often() -> None:
    assert not flagged(bounce(1), Voided("m1"))
    assert not flagged(Voided("m1"), bounce(1), bounce(1), bounce(2, SOFT))
    assert flagged(Voided("m1"), bounce(1), bounce(2, message_id="m2"))
    assert flagged(Voided("m2"), bounce(1))


def test_voided_failures_do_not_count_towards_a_threshold() -> None:
    five = [bounce(second, SOFT, f"m{second}") for second in range(5)]

    assert flagged(*five)
    assert not flagged(*five, Voided("m2"))
    assert flagged(*five, Voided("m2"), bounce(9, SOFT, "m9"))


def message(number: int) -> str:
    """The id of a message; later ones sort behind earlier ones, as real ones do."""
    return f"m{number:03d}"


MOST: Final = 2 * KEPT_VOIDED
numbers: Final = st.integers(0, MOST)
many_or_few: Final = st.integers(0, MOST) | st.sampled_from([KEPT_VOIDED - 1, KEPT_VOIDED, KEPT_VOIDED + 1, 150])
"""How many are voided: mostly so many that not all of them can be kept."""


@given(many_or_few, st.lists(numbers, max_size=10), st.randoms(use_true_random=False))
@example(150, [*range(0, 150, 7), 149], random.Random(0))  # noqa: S311 - the same in every run
def test_what_was_voided_stays_voided_however_much_is_voided_after_it(
    many: int, bounced: list[int], chance: random.Random
) -> None:
    voided = [message(number) for number in chance.sample(range(MOST), many)]
    states = [EMPTY.join(*map(Voided, voided[start::3])) for start in range(3)]
    evidence: list[Evidence] = [*map(Voided, voided), *map(Voided, voided[:5])]
    evidence += [bounce(1, message_id=message(number)) for number in bounced]
    chance.shuffle(evidence)
    one_by_one = EMPTY
    for item in evidence:
        one_by_one = one_by_one.join(item)

    assert one_by_one == EMPTY.join(*evidence)
    assert one_by_one.voided == set(sorted(voided)[-KEPT_VOIDED:])
    assert not {failure.message_id for failure in one_by_one.counted_failures} & set(voided)
    for state in states:
        assert state.join(*evidence) == one_by_one


@pytest.mark.parametrize("first", [0, 60])
@pytest.mark.parametrize("many", [1, KEPT_VOIDED - 1, KEPT_VOIDED, KEPT_VOIDED + 1, 150])
def test_a_failure_speaks_unless_its_message_or_a_hundred_later_ones_are_voided(many: int, first: int) -> None:
    voided = [message(number) for number in range(first, first + 2 * many, 2)]
    bounced = [bounce(number, message_id=message(number)) for number in range(400)]
    listed = Failure(at(1), None, Provider.SES, "SuppressionList/BOUNCE")
    evidence = [Voided(id_) for id_ in voided[::2] + voided[1::2]]
    # Only a few at a time, as more of one code than that are not kept anyway.
    for start in range(0, len(bounced), KEPT_PER_CODE - 1):
        some = [listed, *bounced[start : start + KEPT_PER_CODE - 1]]
        counted = {failure.message_id for failure in EMPTY.join(*evidence, *some).counted_failures}
        oldest = sorted(voided)[-KEPT_VOIDED] if many >= KEPT_VOIDED else ""
        ids = {failure.message_id or "" for failure in some[1:]}
        assert counted == {None, *(id_ for id_ in ids - set(voided) if id_ > oldest)}


def test_a_contact_that_learns_nothing_new_is_the_same_object() -> None:
    contact = Contact(contact_key()).with_evidence(bounce(1))

    assert contact.with_evidence(bounce(1)) is contact
    assert contact.with_evidence(bounce(1), delivery(0.5)) is not contact
    assert (
        contact.with_evidence(bounce(1).__class__(at(1) + timedelta(microseconds=1), "m1", Provider.SES, SOFT))
        != contact
    )


failures = st.builds(
    Failure,
    at=strategies.moments,
    message_id=st.none() | strategies.message_ids,
    provider=st.sampled_from([Provider.SES, Provider.TWILIO]),
    code=st.sampled_from([NO_SUCH_MAILBOX, SOFT]),
    detail=st.sampled_from([None, "smtp; 550", "smtp; 552"]),
)


@given(failures, failures)
@example(bounce(1), replace(bounce(1), detail="smtp; 550"))
@example(replace(bounce(1), detail="smtp; 552"), replace(bounce(1), detail="smtp; 550"))
@example(bounce(1), replace(bounce(1), message_id=None))
def test_no_two_failures_have_the_same_place_in_the_order(one: Failure, other: Failure) -> None:
    """Else it would be chance which of them is kept, and by which the address became invalid."""
    assert (one.order == other.order) is (one == other)
    assert (one.at < other.at) <= (one.order < other.order)


@given(st.lists(failures, max_size=12))
def test_whatever_comes_first_the_verdict_names_the_same_failure(evidence: list[Failure]) -> None:
    assert EMPTY.join(*evidence).verdict(STANDARD_POLICY) == EMPTY.join(*reversed(evidence)).verdict(STANDARD_POLICY)
