"""A policy decides what evidence means: it is data, and from the same evidence it always gives the same verdict."""

from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.businesses.adapters.stored_settings import read_policy, write_policy
from rebound.contacts.domain.reachability import (
    FLAGGING_CLASSES,
    HIGHEST_COUNT,
    REACHABLE,
    STANDARD_POLICY,
    STRICT_POLICY,
    Evidence,
    Failure,
    PolicyPreset,
    Reachability,
    ReachabilityPolicy,
    counts_of,
    policy_of,
)
from rebound.kernel.errors import InvalidInputError
from rebound.kernel.provider_codes import FailureClass, Provider, ProviderCode, all_codes
from tests.fakes import strategies
from tests.fakes.making import at

EMPTY = Reachability()
NAMED_BY_STRICT = {
    (Provider.SES, "SuppressionList/BOUNCE"),
    (Provider.TWILIO, "21211"),
    (Provider.SES, "Permanent/NoEmail"),
    (Provider.SES, "Permanent/General"),
    *((Provider.SES, f"smtp/{status}") for status in ("5.1.1", "5.1.2", "5.1.3", "5.1.10", "5.4.4")),
}
counts: st.SearchStrategy[Mapping[str, int]] = st.dictionaries(
    st.sampled_from([str(known) for known in FLAGGING_CLASSES]), st.integers(1, HIGHEST_COUNT)
)
low_counts: st.SearchStrategy[Mapping[str, int]] = st.dictionaries(
    st.sampled_from([str(known) for known in FLAGGING_CLASSES]), st.integers(1, 4)
)
policies = st.sampled_from([STANDARD_POLICY, STRICT_POLICY]) | low_counts.map(lambda drawn: policy_of("custom", drawn))


def invalid(policy: ReachabilityPolicy, *evidence: Evidence) -> bool:
    return EMPTY.join(*evidence).verdict(policy).invalid


@given(st.data(), st.lists(strategies.evidence, max_size=8), policies)
def test_a_verdict_depends_on_the_set_of_evidence_and_the_policy_alone(
    data: st.DataObject, evidence: list[Evidence], policy: ReachabilityPolicy
) -> None:
    again = data.draw(st.lists(st.sampled_from(evidence), max_size=4)) if evidence else []
    one_by_one, other = EMPTY, data.draw(policies)
    for item in data.draw(st.permutations([*evidence, *again])):
        one_by_one = one_by_one.join(item)
        # Being asked under another policy in between leaves no trace.
        one_by_one.verdict(other)

    assert one_by_one.verdict(policy) == EMPTY.join(*evidence).verdict(policy)


@given(st.lists(strategies.evidence, max_size=12))
def test_strict_never_flags_what_standard_does_not(evidence: list[Evidence]) -> None:
    assert invalid(STANDARD_POLICY, *evidence) or not invalid(STRICT_POLICY, *evidence)


@given(st.lists(strategies.evidence, max_size=12), low_counts, low_counts)
def test_higher_counts_and_fewer_classes_never_flag_what_lower_counts_and_more_classes_do_not(
    evidence: list[Evidence], one: Mapping[str, int], two: Mapping[str, int]
) -> None:
    stricter = {name: max(one[name], two[name]) for name in one.keys() & two.keys()}
    laxer = {**one, **two, **{name: min(one[name], two[name]) for name in stricter}}

    assert invalid(policy_of("custom", laxer), *evidence) or not invalid(policy_of("custom", stricter), *evidence)


@given(st.lists(strategies.evidence, max_size=12), st.sampled_from(FLAGGING_CLASSES))
def test_each_count_more_flags_the_same_or_fewer_addresses(
    evidence: list[Evidence], failure_class: FailureClass
) -> None:
    found = [invalid(policy_of("custom", {failure_class: count}), *evidence) for count in range(1, HIGHEST_COUNT + 1)]

    assert all(fewer >= more for fewer, more in pairwise(found))


@pytest.mark.parametrize("row", list(all_codes()), ids=lambda row: f"{row.provider}-{row.code}")
def test_strict_flags_on_what_says_that_there_is_no_such_address_and_on_nothing_else(row: ProviderCode) -> None:
    often = [Failure(at(n), f"m{n}", row.provider, row.code) for n in range(HIGHEST_COUNT)]

    assert invalid(STRICT_POLICY, *often) is ((row.provider, row.code) in NAMED_BY_STRICT)


def test_standard_is_the_default_and_what_it_was() -> None:
    assert policy_of("standard") is STANDARD_POLICY
    assert STANDARD_POLICY.codes is None
    assert STANDARD_POLICY.thresholds == {FailureClass.INVALID: 1, FailureClass.UNREACHABLE: 5}


def test_codes_that_do_not_count_do_not_count_towards_those_that_do() -> None:
    twice = ReachabilityPolicy(
        MappingProxyType({FailureClass.INVALID: 2}), frozenset({(Provider.SES, "Permanent/NoEmail")})
    )
    full, gone, gone_again = (
        Failure(at(n), f"m{n}", Provider.SES, code)
        for n, code in enumerate(["Transient/MailboxFull", "Permanent/NoEmail", "Permanent/NoEmail"])
    )

    assert not invalid(twice, full, gone)
    assert EMPTY.join(full, gone, gone_again).verdict(twice).since == at(2)


@given(st.lists(strategies.evidence, max_size=20))
def test_without_any_count_nothing_is_ever_flagged(evidence: list[Evidence]) -> None:
    assert EMPTY.join(*evidence).verdict(policy_of("custom", {})) == REACHABLE


@given(counts)
def test_a_custom_policy_is_made_of_its_counts_and_shows_them(given_counts: Mapping[str, int]) -> None:
    policy = policy_of("custom", given_counts)

    assert policy.preset is PolicyPreset.CUSTOM
    assert counts_of(policy) == given_counts
    assert policy_of("custom", counts_of(policy)) == policy


@given(st.sampled_from([STANDARD_POLICY, STRICT_POLICY]) | counts.map(lambda drawn: policy_of("custom", drawn)))
def test_a_policy_is_stored_and_read_again_whole(policy: ReachabilityPolicy) -> None:
    assert read_policy(write_policy(policy)) == policy
    assert read_policy(write_policy(policy)).preset is policy.preset


def test_settings_from_before_there_were_policies_mean_the_standard() -> None:
    assert read_policy(None) is STANDARD_POLICY


@pytest.mark.parametrize(
    ("preset", "given_counts", "fields"),
    [
        ("lenient", None, ["policy.preset"]),
        ("standard", {"invalid": 1}, ["policy.counts"]),
        ("strict", {}, ["policy.counts"]),
        ("custom", None, ["policy.counts"]),
        ("custom", {"invalid": 0}, ["policy.counts.invalid"]),
        ("custom", {"invalid": 21, "unreachable": -1}, ["policy.counts.invalid", "policy.counts.unreachable"]),
        ("custom", {"blocked": 1}, ["policy.counts.blocked"]),
        ("custom", {"opted_out": 1, "invalid": 1}, ["policy.counts.opted_out"]),
        ("custom", {"nonsense": 1}, ["policy.counts.nonsense"]),
    ],
)
def test_a_policy_that_cannot_be_is_refused_with_its_fields(
    preset: str, given_counts: Mapping[str, int] | None, fields: list[str]
) -> None:
    with pytest.raises(InvalidInputError) as raised:
        policy_of(preset, given_counts)

    assert [error.field for error in raised.value.errors] == fields


def test_a_count_says_what_is_wrong_with_it() -> None:
    with pytest.raises(InvalidInputError) as refused:
        policy_of("custom", {"blocked": 3, "invalid": 0, "unreachable": HIGHEST_COUNT + 1})
    found = {wrong.field: wrong.message for wrong in refused.value.errors}

    assert found == {
        "policy.counts.blocked": f"Only {', '.join(FLAGGING_CLASSES)} can have a count.",
        "policy.counts.invalid": "Must be from 1 to 20.",
        "policy.counts.unreachable": "Must be from 1 to 20.",
    }
    assert policy_of("custom", {"invalid": 1, "unreachable": HIGHEST_COUNT}).thresholds["unreachable"] == 20  # type: ignore[index]
