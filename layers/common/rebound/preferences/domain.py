"""What somebody wants to get at an address, as they choose it themselves: from everything down to nothing.

The scopes of consent lie inside each other, so one of four choices is made instead of a combination of scopes, which
could mean something else than it says.
"""

from copy import replace
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Final

from rebound.consent.domain.consent import FIRST_HAND_SOURCES, Consent, ConsentEvidence, ScopeState
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import COVERED_BY, ConsentSource, Scope
from rebound.kernel.languages import read_words
from rebound.templates.domain.content import Content, EmailContent, TextContent


class Choice(StrEnum):
    """How much somebody wants to get."""

    EVERYTHING = "everything"
    NO_LOYALTY = "no_loyalty"
    NO_MARKETING = "no_marketing"
    NOTHING = "nothing"


_STOPS: Final = {Choice.NOTHING: Scope.ALL, Choice.NO_MARKETING: Scope.MARKETING, Choice.NO_LOYALTY: Scope.LOYALTY}
_CHOICE_THAT_STOPS: Final = {scope: choice for choice, scope in _STOPS.items()}


def choice_of(consent: Consent) -> Choice:
    """The choice that the opt-outs in force come to, whoever stated them."""
    widest = next((scope for scope in Scope if consent.of(scope).opted_out), None)
    return Choice.EVERYTHING if widest is None else _CHOICE_THAT_STOPS[widest]


def is_stopped(scope: Scope, choice: Choice) -> bool:
    """Whether a choice stops what belongs to a scope."""
    return _STOPS.get(choice) in COVERED_BY[scope]


def choice_before(consent: Consent, scope: Scope) -> Choice:
    """The choice that holds again when the opt-outs of a scope and of all wider scopes are taken back."""
    narrower = (each for each in Scope if each not in COVERED_BY[scope])
    left = next((each for each in narrower if consent.of(each).opted_out), None)
    return Choice.EVERYTHING if left is None else _CHOICE_THAT_STOPS[left]


def is_stopped_by_word(consent: Consent, channel: Channel) -> bool:
    """Whether texts were stopped by a word that only another word undoes: the carrier keeps that list, not we."""
    opt_out = consent.of(Scope.ALL).opt_out
    by_word = opt_out is not None and opt_out.source in (ConsentSource.KEYWORD, ConsentSource.PROVIDER)
    return channel is Channel.SMS and by_word


def unsubscribed(consent: Consent, scope: Scope, at: datetime, message_id: str) -> tuple[ConsentEvidence, ...]:
    """The statement of one click; none when the owner of the address has already stated the opt-out in force.

    An opt-out that somebody else stated for the owner is stated again: the click makes it the owner's own.
    """
    state = consent.of(scope)
    if state.opt_out is not None and state.opt_out.source in FIRST_HAND_SOURCES:
        return ()
    return (_statement(state, scope, at, message_id, opted_out=True),)


def chosen(consent: Consent, choice: Choice, at: datetime, message_id: str) -> tuple[ConsentEvidence, ...]:
    """The statements of a choice: scopes wider than the one it stops are wanted again, narrower ones stay as they were.

    The owner's own later word undoes all earlier statements, also a complaint and what staff wrote down.
    """
    stops = _STOPS.get(choice)
    wanted = tuple(Scope) if stops is None else COVERED_BY[stops][:-1]
    again = tuple(
        _statement(state, scope, at, message_id, opted_out=False)
        for scope in wanted
        if (state := consent.of(scope)).opted_out
    )
    return again if stops is None else (*again, *unsubscribed(consent, stops, at, message_id))


def confirmed(consent: Consent, scope: Scope, at: datetime, message_id: str) -> tuple[ConsentEvidence, ...]:
    """The opt-ins of a yes to our question: to its scope, and to stopped wider ones; none when all hold already."""
    stopped = [each for each in COVERED_BY[scope] if consent.of(each).opted_out]
    if consent.is_confirmed and not stopped:
        return ()
    statements = (
        _statement(consent.of(each), each, at, message_id, opted_out=False) for each in dict.fromkeys((*stopped, scope))
    )
    return tuple(replace(each, source=ConsentSource.DOUBLE_OPT_IN) for each in statements)


def _statement(state: ScopeState, scope: Scope, at: datetime, message_id: str, *, opted_out: bool) -> ConsentEvidence:
    """A statement that is later than all known ones of its scope, even if those have a time ahead of our clock."""
    known = [statement.at + datetime.resolution for statement in state.latest]
    return ConsentEvidence(max([at, *known]), scope, opted_out, ConsentSource.ONE_CLICK, message_id)


@cache
def opt_in_question(language: str, channel: Channel) -> Content:
    """The question of the double opt-in, in one of the languages."""
    words = read_words("preferences", language)["opt_in_question"][channel]
    return _email(**words) if channel is Channel.EMAIL else TextContent(words)


@cache
def test_question(language: str, channel: Channel) -> Content:
    """The question whether tests of messages may be sent to an address, in one of the languages."""
    words = read_words("preferences", language)["test_question"][channel]
    return _email(**words) if channel is Channel.EMAIL else TextContent(words)


def _email(*, subject: str, hello: str, question: str, button: str, otherwise: str) -> EmailContent:
    return EmailContent(
        subject,
        f'<p>{hello}</p><p>{question}</p><p><a href="##{{{{confirm_url}}}}">{button}</a></p><p>{otherwise}</p>',
        f"{hello}\n\n{question}\n\n##{{{{confirm_url}}}}\n\n{otherwise}\n",
    )
