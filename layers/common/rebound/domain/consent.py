"""May we write to this address? A fold of its own (truth 3): no bounce changes it and no delivery clears an opt-out.

Per scope two max registers, the latest opt-out and the latest opt-in; the later one holds, and at the same instant the
opt-out does. Order and duplication of the evidence do not matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType


class Scope(StrEnum):
    """What an opt-out covers."""

    ALL = "all"
    """Everything on the channel (STOP)."""
    MARKETING = "marketing"
    """What is sent to win business: marketing, Daily Deals, loyalty."""


class ConsentSource(StrEnum):
    """Who or what said so."""

    COMPLAINT = "complaint"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class ConsentEvidence:
    """One statement about one scope at one time."""

    at: datetime
    scope: Scope
    opted_out: bool
    source: ConsentSource
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class ScopeState:
    """The latest word for and against one scope."""

    out: ConsentEvidence | None = None
    in_: ConsentEvidence | None = None

    @property
    def opted_out(self) -> bool:
        """Whether the later word is an opt-out; nothing said is not an opt-out."""
        if self.out is None:
            return False
        return self.in_ is None or self.out.at >= self.in_.at


@dataclass(frozen=True, slots=True)
class Consent:
    """What one contact has said, by scope."""

    scopes: Mapping[Scope, ScopeState] = field(default_factory=lambda: MappingProxyType({}))

    def join(self, *evidence: ConsentEvidence) -> "Consent":
        """The state that also knows ``evidence``: commutative, associative, idempotent."""
        scopes = dict(self.scopes)
        for said in evidence:
            state = scopes.get(said.scope, ScopeState())
            if said.opted_out:
                state = ScopeState(_later(state.out, said), state.in_)
            else:
                state = ScopeState(state.out, _later(state.in_, said))
            scopes[said.scope] = state
        return Consent(MappingProxyType(scopes))

    @property
    def opted_out(self) -> tuple[Scope, ...]:
        """The scopes that are opted out, in a fixed order."""
        return tuple(scope for scope in Scope if self.scopes.get(scope, ScopeState()).opted_out)


def _later(known: ConsentEvidence | None, said: ConsentEvidence) -> ConsentEvidence:
    if known is None:
        return said
    return max(known, said, key=lambda e: (e.at, e.source, e.message_id or ""))
