"""What somebody wants to get at an address, as they choose it themselves.

Each scope of consent has a switch of its own, which says nothing about the others. A page says what it showed, so that
a switch that nobody touched changes nothing, whatever was said elsewhere while the page was open. Pages of former
versions offered four choices instead, each of which spoke of everything that there is.
"""

from collections.abc import Collection, Mapping
from copy import replace
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Final

from msgspec import Struct

from rebound.consent.domain.consent import FIRST_HAND_SOURCES, Consent, ConsentEvidence, ScopeState
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import COVERED_BY, ConsentSource, Scope
from rebound.kernel.languages import read_words
from rebound.templates.domain.content import Content, EmailContent, TextContent


class Choice(StrEnum):
    """How much somebody wants to get, in the words of pages of former versions."""

    EVERYTHING = "everything"
    NO_LOYALTY = "no_loyalty"
    NO_MARKETING = "no_marketing"
    NOTHING = "nothing"


_SAID: Final[Mapping[Choice, Mapping[Scope, bool]]] = {
    Choice.EVERYTHING: dict.fromkeys(Scope, True),
    Choice.NO_LOYALTY: {**dict.fromkeys(Scope, True), Scope.LOYALTY: False},
    Choice.NO_MARKETING: {Scope.ALL: True, Scope.MARKETING: False, Scope.TRANSACTIONAL: True},
    Choice.NOTHING: {Scope.ALL: False},
}
"""What each choice said of which scope: "only about my appointments and purchases" wants those, and no marketing."""


class Switches(Struct, frozen=True):
    """What a form of the page says: how each switch ``was`` when the page was made, and how it ``is`` now."""

    was: Mapping[Scope, bool]
    is_: Mapping[Scope, bool]

    @property
    def moved(self) -> Mapping[Scope, bool]:
        """The switches that somebody moved, and whether each is on now."""
        return {scope: self.is_[scope] for scope in Scope if scope in self.was and self.is_[scope] != self.was[scope]}


def is_stopped(scope: Scope, opted_out: Collection[Scope]) -> bool:
    """Whether opt-outs of these scopes stop what belongs to a scope."""
    return not set(COVERED_BY[scope]).isdisjoint(opted_out)


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


def chosen(consent: Consent, choice: Choice | Switches, at: datetime, message_id: str) -> tuple[ConsentEvidence, ...]:
    """The statements of a choice, or of the switches that were moved: all other scopes stay as they are.

    The owner's own later word undoes all earlier statements, also a complaint and what staff wrote down.
    """
    said = _SAID[choice] if isinstance(choice, Choice) else choice.moved
    return tuple(
        statement
        for scope, wanted in said.items()
        for statement in (
            _wanted(consent, scope, at, message_id) if wanted else unsubscribed(consent, scope, at, message_id)
        )
    )


def _wanted(consent: Consent, scope: Scope, at: datetime, message_id: str) -> tuple[ConsentEvidence, ...]:
    state = consent.of(scope)
    return (_statement(state, scope, at, message_id, opted_out=False),) if state.opted_out else ()


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
