"""May we write to this address? A fold of its own (truth 3): no bounce changes it and no delivery clears an opt-out.

Per scope two max registers, the latest opt-out and the latest opt-in; the later one holds, and at the same instant the
opt-out does. Order and duplication of the evidence do not matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Scope(StrEnum):
    """What an opt-out covers."""

    ALL = "all"
    """Everything on the channel (STOP)."""
    MARKETING = "marketing"
    """What is sent to win business: marketing, Daily Deals, loyalty."""
    LOYALTY = "loyalty"
    """Loyalty messages alone."""


class ConsentSource(StrEnum):
    """Who or what said so."""

    KEYWORD = "keyword"
    """The owner of the number, by a word such as STOP or START."""
    ONE_CLICK = "one_click"
    """The owner of the address, by the link in a message or on the page behind it."""
    DOUBLE_OPT_IN = "double_opt_in"
    """The owner of the address, by confirming what we asked."""
    COMPLAINT = "complaint"
    """The owner of the address, by marking a message as spam."""
    PROVIDER = "provider"
    """A provider that refused a message, because the owner had opted out with it."""
    STAFF = "staff"
    IMPORT = "import"
    API = "api"
    """A client of the API, for somebody it does not name."""


OWN_WORDS: Final = frozenset(
    {
        ConsentSource.KEYWORD,
        ConsentSource.ONE_CLICK,
        ConsentSource.DOUBLE_OPT_IN,
        ConsentSource.COMPLAINT,
        ConsentSource.PROVIDER,
    }
)
"""What the owner of the address did; the others say it for them."""


@dataclass(frozen=True, slots=True)
class ConsentEvidence:
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
        return tuple(scope for scope in Scope if self.of(scope).opted_out)

    def of(self, scope: Scope) -> ScopeState:
        """What was said about one scope."""
        return self.scopes.get(scope, ScopeState())

    @property
    def statements(self) -> frozenset[ConsentEvidence]:
        """The statements that it rests on: the latest for and against each scope."""
        return frozenset(said for state in self.scopes.values() for said in (state.out, state.in_) if said is not None)


def _later(known: ConsentEvidence | None, said: ConsentEvidence) -> ConsentEvidence:
    if known is None:
        return said
    return max(known, said, key=lambda e: (e.at, e.source, e.message_id or "", e.who or "", e.words or ""))
