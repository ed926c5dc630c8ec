"""May we write to this address? A fold of its own (truth 3): no bounce changes it and no delivery clears an opt-out.

An opt-in ends the opt-outs before it that weigh no more than it does, and at the same instant the opt-out holds. What
the owner of the address said weighs most, so nobody else's word takes it back, however late the one is said and the
other is learnt. Per scope a max register for each weight of opt-outs and of opt-ins is all that this needs: order and
duplication of the evidence do not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import IntEnum
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
"""What the owner of the address did; the others say it for them."""
_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)
_TAKEN_UP_AT_THE_DESK: Final = frozenset({ConsentSource.STAFF, ConsentSource.API})


class Weight(IntEnum):
    """How much a statement weighs against those that contradict it."""

    HELD = -1
    """Held back to be on the safe side: it says nothing about what the owner wants."""
    REPORTED = 0
    """Somebody says what the owner wants."""
    QUOTED = 1
    """A click, which may be a slip; and somebody at the desk with the owner's own words, who may take a click back."""
    FIRST_HAND = 2
    """The owner's own word."""


class ConsentEvidence(Struct, frozen=True):
    """One statement about one scope at one time.

    ``message_id`` is the message that it answers or follows from, of ours or, for a keyword, the provider's id of the
    text that came in. ``who`` names the member of staff or the client, as they are called there; ``words`` is what was
    said, as it was said.
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
        """How much it weighs; a click out weighs less than a click in, so that staff may set a slip right."""
        if self.source is ConsentSource.REVIEW:
            return Weight.HELD
        if self.source is ConsentSource.ONE_CLICK and self.opted_out:
            return Weight.QUOTED
        if self.source in FIRST_HAND_SOURCES:
            return Weight.FIRST_HAND
        quotes = not self.opted_out and self.source in _TAKEN_UP_AT_THE_DESK and bool(self.words)
        return Weight.QUOTED if quotes else Weight.REPORTED

    def is_ended_by(self, other: ConsentEvidence) -> bool:
        """Whether this opt-out of the same scope does not hold any more after an opt-in."""
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
        """The opt-out that holds, of several the one that weighs most; ``None`` when the scope is not opted out of."""
        opt_ins = [statement for statement in self.latest if not statement.opted_out]
        holding = [
            statement
            for statement in self.latest
            if statement.opted_out and not any(map(statement.is_ended_by, opt_ins))
        ]
        return max(holding, key=lambda statement: statement.weight, default=None)

    @property
    def opted_out(self) -> bool:
        """Whether an opt-out holds; nothing said is not an opt-out."""
        return self.opt_out is not None

    @property
    def ruling(self) -> ConsentEvidence | None:
        """The statement by which the scope is as it is; ``None`` when nothing was said."""
        return self.opt_out or max(
            (statement for statement in self.latest if not statement.opted_out), key=_order, default=None
        )

    @property
    def statements(self) -> tuple[ConsentEvidence, ...]:
        """All that it rests on, by time."""
        return tuple(sorted(self.latest, key=_order))


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

    @property
    def is_confirmed(self) -> bool:
        """Whether the owner asked for marketing in their own word, and nobody has opted them out of it since.

        A START, which is said of everything, is such a word too.
        """
        statements = [statement for scope in COVERED_BY[Scope.MARKETING] for statement in self.of(scope).latest]
        asked = [s.at for s in statements if not s.opted_out and s.weight is Weight.FIRST_HAND]
        ended = [s.at for s in statements if s.opted_out and s.weight is not Weight.HELD]
        return bool(asked) and max(asked) > max(ended, default=_BEFORE_ALL)

    @property
    def statements(self) -> frozenset[ConsentEvidence]:
        """The statements that it rests on: of each weight the latest for and against each scope."""
        return frozenset(statement for state in self.scopes.values() for statement in state.latest)


def _order(statement: ConsentEvidence) -> tuple[Any, ...]:
    """By time; what follows makes the order total, so that it does not matter which of two comes first."""
    more = (statement.message_id, statement.who, statement.words)
    return (
        statement.at,
        statement.opted_out,
        statement.weight,
        statement.source,
        *((text is not None, text or "") for text in more),
    )
