"""May we write to this address? A fold of its own (truth 3): no bounce changes it and no delivery clears an opt-out.

An opt-in ends the earlier opt-outs of its scope that weigh no more than it does; at the same instant, the opt-out
holds. What the owner of the address said weighs most, so nobody else's statement takes it back, however late either is
said or learnt. The state is a max register for each scope, each weight, and each of opt-out and opt-in; therefore order
and duplication of the evidence do not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct, field

from rebound.kernel.consent_words import COVERED_BY, ConsentSource, Scope

FIRST_HAND_SOURCES: Final = frozenset(
    {
        ConsentSource.KEYWORD,
        ConsentSource.ONE_CLICK,
        ConsentSource.DOUBLE_OPT_IN,
        ConsentSource.COMPLAINT,
        ConsentSource.PROVIDER,
    }
)
"""The sources in which the owner of the address speaks; in all others, somebody speaks for the owner."""
_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)
_TAKEN_UP_AT_THE_DESK: Final = frozenset({ConsentSource.STAFF, ConsentSource.API})


class Weight(IntEnum):
    """How much a statement weighs against those that contradict it."""

    HELD = -1
    """Held back to be on the safe side: it says nothing about what the owner wants."""
    REPORTED = 0
    """Somebody says what the owner wants."""
    QUOTED = 1
    """A click out, which may be a slip; or an opt-in by staff or API that quotes the owner and may end the click."""
    FIRST_HAND = 2
    """The owner's own word."""


class ConsentEvidence(Struct, frozen=True):
    """One statement about one scope at one time.

    ``message_id`` is the id of our message that the statement answers or follows from or, for a keyword, the provider's
    id of the text that came in. ``who`` names the member of staff or the system, as the API's client calls them.
    ``words`` quotes what was said.
    """

    at: datetime
    scope: Scope
    opted_out: bool
    source: ConsentSource
    message_id: str | None = None
    who: str | None = None
    words: str | None = None

    @property
    def weight(self) -> Weight:
        """The weight of the statement; a click out weighs less than a click in, so that staff may correct a slip."""
        if self.source is ConsentSource.REVIEW:
            return Weight.HELD
        if self.source is ConsentSource.ONE_CLICK and self.opted_out:
            return Weight.QUOTED
        if self.source in FIRST_HAND_SOURCES:
            return Weight.FIRST_HAND
        quotes = not self.opted_out and self.source in _TAKEN_UP_AT_THE_DESK and bool(self.words)
        return Weight.QUOTED if quotes else Weight.REPORTED

    def is_ended_by(self, other: ConsentEvidence) -> bool:
        """Whether ``other``, an opt-in of the same scope, ends this opt-out."""
        return other.at > self.at and other.weight >= self.weight


class ScopeState(Struct, frozen=True):
    """What was said about one scope: the latest opt-out and the latest opt-in of each weight."""

    latest: frozenset[ConsentEvidence] = frozenset()

    def join(self, statement: ConsentEvidence) -> ScopeState:
        """The state that also knows ``statement``."""
        known = next(
            (e for e in self.latest if (e.opted_out, e.weight) == (statement.opted_out, statement.weight)), None
        )
        if known is None:
            return ScopeState(self.latest | {statement})
        return ScopeState(self.latest - {known} | {max(known, statement, key=_order)})

    @property
    def opt_out(self) -> ConsentEvidence | None:
        """The opt-out that holds, or the one of several that weighs most; ``None`` when the scope is not opted out."""
        opt_ins = [statement for statement in self.latest if not statement.opted_out]
        holding = [
            statement
            for statement in self.latest
            if statement.opted_out and not any(map(statement.is_ended_by, opt_ins))
        ]
        return max(holding, key=lambda statement: statement.weight, default=None)

    @property
    def opted_out(self) -> bool:
        """Whether an opt-out holds; a scope about which nothing was said is not opted out of."""
        return self.opt_out is not None

    @property
    def ruling(self) -> ConsentEvidence | None:
        """The statement that decides: the opt-out that holds, or the latest opt-in; ``None`` when nothing was said."""
        return self.opt_out or max(
            (statement for statement in self.latest if not statement.opted_out), key=_order, default=None
        )

    @property
    def statements(self) -> tuple[ConsentEvidence, ...]:
        """All statements that are kept, by time."""
        return tuple(sorted(self.latest, key=_order))


class Standing(StrEnum):
    """Whether the messages of a scope may be sent, as far as consent goes."""

    OPTED_IN = "opted_in"
    """No opt-out covers them, and no confirmation is missing: somebody may have asked for them, or said nothing."""
    OPTED_OUT = "opted_out"
    """An opt-out of the scope, or of a wider one, holds."""
    NOT_CONFIRMED = "not_confirmed"
    """The business asks for a double opt-in, and there is none that holds."""


class Consent(Struct, frozen=True):
    """What one contact has said, by scope."""

    scopes: Mapping[Scope, ScopeState] = field(default_factory=lambda: MappingProxyType({}))

    def join(self, *evidence: ConsentEvidence) -> Consent:
        """The state that also knows ``evidence``: commutative, associative, idempotent."""
        scopes = dict(self.scopes)
        for statement in evidence:
            scopes[statement.scope] = scopes.get(statement.scope, ScopeState()).join(statement)
        return Consent(MappingProxyType(scopes))

    @property
    def opted_out(self) -> tuple[Scope, ...]:
        """The scopes that are opted out, in a fixed order."""
        return tuple(scope for scope in Scope if self.of(scope).opted_out) if self.scopes else ()

    def of(self, scope: Scope) -> ScopeState:
        """What was said about one scope."""
        return self.scopes.get(scope, ScopeState())

    def keeps_back(self, scope: Scope) -> bool:
        """Whether an opt-out of the scope, or of a wider one, holds, so that its messages are not sent."""
        return bool(self.scopes) and any(self.of(wider).opted_out for wider in COVERED_BY[scope])

    def standing(self, scope: Scope, *, needs_confirmation: bool) -> Standing:
        """How the scope stands for a business that wants marketing to be confirmed, or does not."""
        if self.keeps_back(scope):
            return Standing.OPTED_OUT
        if needs_confirmation and Scope.MARKETING in COVERED_BY[scope] and not self.is_confirmed:
            return Standing.NOT_CONFIRMED
        return Standing.OPTED_IN

    @property
    def is_confirmed(self) -> bool:
        """Whether the owner opted in to marketing first-hand and nobody has opted them out of it since.

        A START, which is about everything, is such an opt-in too. A hold does not count as an opt-out here.
        """
        statements = [statement for scope in COVERED_BY[Scope.MARKETING] for statement in self.of(scope).latest]
        asked = [s.at for s in statements if not s.opted_out and s.weight is Weight.FIRST_HAND]
        ended = [s.at for s in statements if s.opted_out and s.weight is not Weight.HELD]
        return bool(asked) and max(asked) > max(ended, default=_BEFORE_ALL)

    @property
    def statements(self) -> frozenset[ConsentEvidence]:
        """The statements that are kept: for each scope and weight, the latest opt-out and the latest opt-in."""
        return frozenset(statement for state in self.scopes.values() for statement in state.latest)


def _order(statement: ConsentEvidence) -> tuple[Any, ...]:
    """Sort key by time; its other parts make the order total, so that it does not matter which of two arrives first."""
    more = (statement.message_id, statement.who, statement.words)
    return (
        statement.at,
        statement.opted_out,
        statement.weight,
        statement.source,
        *((text is not None, text or "") for text in more),
    )
