"""Consent is a fold of its own: no bounce changes it, no delivery clears an opt-out, the owner's word weighs most."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.consent.domain.consent import Consent, ConsentEvidence
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import Evidence
from rebound.kernel.consent_words import COVERED_BY, ConsentSource, Scope
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


# --- who has asked for marketing in their own word --------------------------------------------------------------------

OWNERS = (
    ConsentSource.KEYWORD,
    ConsentSource.ONE_CLICK,
    ConsentSource.DOUBLE_OPT_IN,
    ConsentSource.PROVIDER,
    ConsentSource.COMPLAINT,
)


@given(st.lists(strategies.said, max_size=10))
def test_confirmed_is_who_opted_in_themselves_later_than_any_word_against_it(statements: list[ConsentEvidence]) -> None:
    """By all that was ever said, of which the state keeps a part; a hold is no word."""
    about_marketing = [said for said in statements if said.scope in (Scope.ALL, Scope.MARKETING)]
    asked = [said.at for said in about_marketing if not said.opted_out and said.source in OWNERS]
    against = [said.at for said in about_marketing if said.opted_out and said.source is not ConsentSource.REVIEW]
    last = max(asked, default=None)

    assert NOTHING_SAID.join(*statements).is_confirmed is (last is not None and all(last > at for at in against))


@given(st.integers(1, 12), st.booleans(), st.sampled_from([Scope.ALL, Scope.MARKETING]))
def test_a_hold_takes_no_double_opt_in_away_whether_it_is_cleared_or_not(
    seconds: int, cleared: bool, scope: Scope
) -> None:
    asked = ConsentEvidence(at(1), Scope.MARKETING, opted_out=False, source=ConsentSource.DOUBLE_OPT_IN)
    hold = ConsentEvidence(at(1 + seconds), scope, opted_out=True, source=ConsentSource.REVIEW)
    release = ConsentEvidence(at(2 + seconds), scope, opted_out=False, source=ConsentSource.REVIEW)
    consent = NOTHING_SAID.join(asked, hold, *[release] * cleared)

    assert consent.is_confirmed
    assert consent.opted_out == (() if cleared else (scope,))


def test_whoever_asks_again_after_they_opted_out_has_confirmed() -> None:
    first, again = (
        ConsentEvidence(at(when), scope, opted_out=False, source=ConsentSource.DOUBLE_OPT_IN)
        for when, scope in ((1, Scope.ALL), (5, Scope.MARKETING))
    )

    assert NOTHING_SAID.join(first, again, out(3, Scope.MARKETING)).is_confirmed
    assert not NOTHING_SAID.join(first, out(3, Scope.MARKETING)).is_confirmed


@pytest.mark.parametrize("source", [ConsentSource.STAFF, ConsentSource.API])
@pytest.mark.parametrize("words", [None, "", "She told me so on the phone."])
def test_staff_outweigh_a_click_only_with_the_owners_words(source: ConsentSource, words: str | None) -> None:
    click = ConsentEvidence(at(1), Scope.MARKETING, opted_out=True, source=ConsentSource.ONE_CLICK)
    correction = ConsentEvidence(at(2), Scope.MARKETING, opted_out=False, source=source, words=words)
    consent = NOTHING_SAID.join(click, correction)

    assert consent.opted_out == (() if words else (Scope.MARKETING,))
    assert not consent.is_confirmed


@given(st.sampled_from(Scope), st.sampled_from(ConsentSource), st.sampled_from(ConsentSource))
def test_at_the_very_same_instant_the_opt_out_holds(scope: Scope, out_by: ConsentSource, in_by: ConsentSource) -> None:
    opt_out = ConsentEvidence(at(1), scope, opted_out=True, source=out_by, words="stop")
    opt_in = ConsentEvidence(at(1), scope, opted_out=False, source=in_by, words="start")
    consent = NOTHING_SAID.join(opt_in, opt_out)

    assert consent.opted_out == (scope,)
    assert consent.of(scope).ruling == opt_out
    confirms = in_by in OWNERS and scope in COVERED_BY[Scope.MARKETING] and out_by is ConsentSource.REVIEW
    assert consent.is_confirmed is confirms


@given(st.lists(strategies.said, max_size=10), st.sampled_from(Scope))
def test_what_decides_is_the_weightiest_opt_out_that_holds_or_else_the_latest_opt_in(
    statements: list[ConsentEvidence], scope: Scope
) -> None:
    ruling = NOTHING_SAID.join(*statements).of(scope).ruling
    said = [statement for statement in statements if statement.scope is scope]
    opt_ins = [statement for statement in said if not statement.opted_out]
    holding = [
        statement
        for statement in said
        if statement.opted_out and not any(other.at > statement.at and may_end(other, statement) for other in opt_ins)
    ]

    if holding:
        assert ruling in holding
        assert ruling is not None
        assert ruling.weight == max(statement.weight for statement in holding)
    elif opt_ins:
        assert ruling in opt_ins
        assert ruling is not None
        assert ruling.at == max(statement.at for statement in opt_ins)
    else:
        assert ruling is None
