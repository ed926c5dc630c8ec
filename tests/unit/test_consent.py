"""Consent is a fold of its own: no bounce changes it and no delivery clears an opt-out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.domain.consent import Consent, ConsentEvidence, ConsentSource, Scope
from rebound.domain.contacts import Contact
from rebound.domain.reachability import Evidence
from tests.fakes import strategies
from tests.fakes.making import at, contact_key

NOTHING_SAID = Consent()


def out(seconds: float, scope: Scope = Scope.ALL) -> ConsentEvidence:
    return ConsentEvidence(at(seconds), scope, opted_out=True, source=ConsentSource.PROVIDER)


def back(seconds: float, scope: Scope = Scope.ALL) -> ConsentEvidence:
    return ConsentEvidence(at(seconds), scope, opted_out=False, source=ConsentSource.PROVIDER)


@given(st.data(), st.lists(strategies.said, max_size=8))
def test_any_order_and_any_duplication_of_statements_gives_the_same_consent(
    data: st.DataObject, statements: list[ConsentEvidence]
) -> None:
    again = data.draw(st.lists(st.sampled_from(statements), max_size=4)) if statements else []
    shuffled = data.draw(st.permutations([*statements, *again]))
    one_by_one = NOTHING_SAID
    for statement in shuffled:
        one_by_one = one_by_one.join(statement)

    assert one_by_one == NOTHING_SAID.join(*statements)


@given(st.lists(strategies.said, max_size=5), st.lists(strategies.said, max_size=5))
def test_joins_commute_and_repeat_without_effect(first: list[ConsentEvidence], second: list[ConsentEvidence]) -> None:
    both = NOTHING_SAID.join(*first).join(*second)

    assert both == NOTHING_SAID.join(*second).join(*first)
    assert both.join(*first) == both


@given(st.lists(strategies.said, max_size=8))
def test_the_latest_word_holds_and_at_the_same_instant_the_opt_out(statements: list[ConsentEvidence]) -> None:
    consent = NOTHING_SAID.join(*statements)
    for scope in Scope:
        words = [statement for statement in statements if statement.scope is scope]
        latest = max(words, key=lambda s: (s.at, s.opted_out), default=None)

        assert (scope in consent.opted_out) == (latest is not None and latest.opted_out)


@given(st.lists(strategies.evidence, max_size=6), st.lists(strategies.said, max_size=4))
def test_no_bounce_and_no_delivery_changes_consent_and_no_statement_changes_reachability(
    evidence: list[Evidence], statements: list[ConsentEvidence]
) -> None:
    contact = Contact(contact_key()).knowing(*evidence, *statements)

    assert contact.consent == NOTHING_SAID.join(*statements)
    assert contact.reachability == Contact(contact_key()).knowing(*evidence).reachability


def test_an_opt_out_ends_with_a_later_opt_in_and_not_with_an_earlier_one() -> None:
    assert NOTHING_SAID.join(out(1), back(2)).opted_out == ()
    assert NOTHING_SAID.join(out(2), back(1)).opted_out == (Scope.ALL,)


@pytest.mark.parametrize("scope", list(Scope))
def test_scopes_are_independent(scope: Scope) -> None:
    assert NOTHING_SAID.join(out(1, scope)).opted_out == (scope,)


def test_nothing_said_is_no_opt_out() -> None:
    assert NOTHING_SAID.opted_out == ()
