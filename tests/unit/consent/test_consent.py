"""Consent is a fold of its own: no bounce changes it, no delivery clears an opt-out, the owner's word weighs most."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.consent.domain.consent import Consent, ConsentEvidence
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import Evidence
from rebound.kernel.consent_words import ConsentSource, Scope
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


def may_end(opt_in: ConsentEvidence, opt_out: ConsentEvidence) -> bool:
    """The law, case by case, whatever the times."""
    by_the_owner = opt_in.source in (
        ConsentSource.KEYWORD,
        ConsentSource.ONE_CLICK,
        ConsentSource.DOUBLE_OPT_IN,
        ConsentSource.PROVIDER,
        ConsentSource.COMPLAINT,
    )
    if ConsentSource.REVIEW in (opt_in.source, opt_out.source):
        # A hold ends with any word, and its release ends nothing else.
        return opt_out.source is ConsentSource.REVIEW
    match opt_out.source:
        case ConsentSource.STAFF | ConsentSource.IMPORT | ConsentSource.API:
            return True
        case ConsentSource.ONE_CLICK:
            return by_the_owner or (opt_in.source is not ConsentSource.IMPORT and opt_in.words is not None)
        case _:
            return by_the_owner


@given(st.lists(strategies.said, max_size=10))
def test_an_opt_out_holds_until_a_later_word_of_somebody_who_may_take_it_back(
    statements: list[ConsentEvidence],
) -> None:
    holding = {
        out.scope
        for out in statements
        if out.opted_out
        and not any(
            opt_in.scope is out.scope and not opt_in.opted_out and opt_in.at > out.at and may_end(opt_in, out)
            for opt_in in statements
        )
    }

    assert set(NOTHING_SAID.join(*statements).opted_out) == holding


BY_OTHERS = (ConsentSource.STAFF, ConsentSource.IMPORT, ConsentSource.API)


@given(
    st.data(),
    st.sampled_from([ConsentSource.KEYWORD, ConsentSource.PROVIDER, ConsentSource.COMPLAINT]),
    st.lists(strategies.said.filter(lambda said: said.source in BY_OTHERS), max_size=8),
)
def test_nobody_else_takes_back_what_the_owner_said_however_late_either_is_learnt(
    data: st.DataObject, source: ConsentSource, others: list[ConsentEvidence]
) -> None:
    stop = ConsentEvidence(at(data.draw(st.integers(0, 12))), Scope.ALL, opted_out=True, source=source)
    learnt = data.draw(st.permutations([stop, *others]))
    consent = NOTHING_SAID.join(*learnt)

    assert Scope.ALL in consent.opted_out
    opt_out = consent.of(Scope.ALL).opt_out
    assert opt_out is not None
    assert opt_out.source is source


@pytest.mark.parametrize("source", [ConsentSource.KEYWORD, ConsentSource.ONE_CLICK, ConsentSource.DOUBLE_OPT_IN])
def test_the_owner_takes_back_what_the_owner_said(source: ConsentSource) -> None:
    start = ConsentEvidence(at(2), Scope.ALL, opted_out=False, source=source)

    assert NOTHING_SAID.join(out(1), start).opted_out == ()
    assert NOTHING_SAID.join(start, out(3)).opted_out == (Scope.ALL,)


def test_the_state_says_by_which_statement_it_is_as_it_is() -> None:
    by_staff = ConsentEvidence(at(3), Scope.ALL, opted_out=True, source=ConsentSource.STAFF, who="Kim")
    again = ConsentEvidence(at(4), Scope.ALL, opted_out=False, source=ConsentSource.STAFF, who="Kim")
    state = NOTHING_SAID.join(out(1), by_staff, again).of(Scope.ALL)

    assert state.opt_out == state.ruling == out(1)
    assert NOTHING_SAID.join(by_staff, again).of(Scope.ALL).ruling == again
    assert NOTHING_SAID.of(Scope.ALL).ruling is None


@given(st.lists(strategies.evidence, max_size=6), st.lists(strategies.said, max_size=4))
def test_no_bounce_and_no_delivery_changes_consent_and_no_statement_changes_reachability(
    evidence: list[Evidence], statements: list[ConsentEvidence]
) -> None:
    contact = Contact(contact_key()).with_evidence(*evidence, *statements)

    assert contact.consent == NOTHING_SAID.join(*statements)
    assert contact.reachability == Contact(contact_key()).with_evidence(*evidence).reachability


def test_an_opt_out_ends_with_a_later_opt_in_and_not_with_an_earlier_one() -> None:
    assert NOTHING_SAID.join(out(1), back(2)).opted_out == ()
    assert NOTHING_SAID.join(out(2), back(1)).opted_out == (Scope.ALL,)


@pytest.mark.parametrize("scope", list(Scope))
def test_scopes_are_independent(scope: Scope) -> None:
    assert NOTHING_SAID.join(out(1, scope)).opted_out == (scope,)


def test_nothing_said_is_no_opt_out() -> None:
    assert NOTHING_SAID.opted_out == ()
