"""Why does this customer not get our messages? The rules of ``eligibility``, walked one by one, in plain English.

Nothing is decided here: the rules decide, this module says what they saw. The readers are people at a reception desk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct

from rebound.businesses.domain.business import Barrier
from rebound.contacts.domain.reachability import REACHABLE, Cleared, Failure, Verdict
from rebound.eligibility.domain.cases import Case
from rebound.eligibility.domain.eligibility import RULES, Decision, Exclusion, Hold, decision_on
from rebound.eligibility.domain.exclusion_words import WORDS, holding_sentence, kind_of_message
from rebound.eligibility.domain.next_steps import next_step
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.provider_codes import FailureClass, look_up
from rebound.messages.domain.messages import Message, MessageStatus

SHOWN_ATTEMPTS: Final = 5


class RuleOutcome(StrEnum):
    """How a rule came out."""

    PASSED = "passed"
    STOPS = "stops_here"
    """This rule is the reason; the ones after it are not asked."""
    HOLDS = "holds_here"
    """Nobody is left out by this rule, but the message waits for it."""
    NOT_REACHED = "not_reached"


class RuleResult(Struct, frozen=True):
    """One rule with its outcome, in words, and the data that it looked at; no data when it was not reached."""

    rule: Exclusion
    outcome: RuleOutcome
    sentence: str
    looked_at: Mapping[str, Any] = MappingProxyType({})


class FailureEvidence(Struct, frozen=True):
    """A failure that speaks against the address, with what the code table says of it."""

    failure: Failure
    failure_class: FailureClass
    sentence: str

    @classmethod
    def of(cls, failure: Failure) -> FailureEvidence:
        """The failure with its row of the code table."""
        row = look_up(failure.provider, failure.code)
        return cls(failure, row.failure_class, row.sentence)


class FailureCount(Struct, frozen=True):
    """How many failures of a class are known since the last clearing, and how many of them flag the address.

    ``threshold`` is ``None`` for failures that the business's policy does not count, however many there are.
    """

    failure_class: FailureClass
    count: int
    threshold: int | None


class OptOut(Struct, frozen=True):
    """An opt-out that holds; ``applies`` when it covers the kind of message that was asked about."""

    scope: Scope
    source: ConsentSource
    at: datetime
    message_id: str | None
    applies: bool


class Attempt(Struct, frozen=True):
    """A message of the client log, what became of it, and the provider's own words where they are kept."""

    message: Message
    sentence: str
    words: str | None = None


class Explanation(Struct, frozen=True):
    """The whole answer. ``counts`` is empty for an address without failures; ``attempts`` come newest first."""

    case: Case
    decision: Decision
    sentence: str
    next_step: str
    rules: tuple[RuleResult, ...]
    verdict: Verdict
    next_try_at: datetime | None
    """When the address may be tried again with such a message; ``None`` when no schedule applies to it."""
    evidence: FailureEvidence | None
    counts: tuple[FailureCount, ...]
    cleared: Cleared | None
    opt_outs: tuple[OptOut, ...]
    attempts: tuple[Attempt, ...]


def explain(case: Case, messages: Sequence[Message]) -> Explanation:
    """The answer for one customer, channel and category.

    ``messages`` are those of the client log, newest first; only the latest ones of the channel count.
    """
    attempts = [message for message in messages if message.channel is case.mailing.channel][:SHOWN_ATTEMPTS]
    decision = decision_on(case)
    rules = tuple(_walk(case, decision))
    stop = next((result for result in rules if result.outcome in (RuleOutcome.STOPS, RuleOutcome.HOLDS)), None)
    contact = case.contact
    verdict = contact.verdict(case.business.policy) if contact is not None else REACHABLE
    return Explanation(
        case=case,
        decision=decision,
        sentence=f"{kind_of_message(case)} are sent to this customer." if stop is None else stop.sentence,
        next_step=next_step(case, decision, attempts),
        rules=rules,
        verdict=verdict,
        next_try_at=case.next_try_at,
        evidence=FailureEvidence.of(verdict.evidence) if verdict.evidence is not None else None,
        counts=tuple(_counts(case)),
        cleared=contact.reachability.cleared if contact is not None else None,
        opt_outs=tuple(_opt_outs(case)),
        attempts=tuple(_attempt(case, message) for message in attempts),
    )


def _walk(case: Case, decision: Decision) -> Iterator[RuleResult]:
    stopped = False
    for exclusion, rule in RULES:
        if stopped:
            yield RuleResult(exclusion, RuleOutcome.NOT_REACHED, "Not asked: a rule before it has decided.")
            continue
        stopped, words = rule.stops(case), WORDS[exclusion]
        if exclusion is Exclusion.QUIET_HOURS and isinstance(decision, Hold):
            outcome, sentence = RuleOutcome.HOLDS, holding_sentence(decision, case)
        elif stopped:
            outcome, sentence = RuleOutcome.STOPS, words.stops(case)
        else:
            outcome, sentence = RuleOutcome.PASSED, words.passes(case)
        yield RuleResult(exclusion, outcome, sentence, MappingProxyType(dict(rule.looks_at(case))))


# --- evidence ---------------------------------------------------------------------------------------------------------


def _counts(case: Case) -> Iterator[FailureCount]:
    if case.contact is None:
        return

    policy = case.business.policy

    def kind(failure: Failure) -> tuple[FailureClass, int]:
        row = look_up(failure.provider, failure.code)
        return (row.failure_class, policy.threshold_of(row.provider, row.code) or 0)

    for (failure_class, threshold), failures in groupby(
        sorted(case.contact.reachability.counted_failures, key=kind), key=kind
    ):
        yield FailureCount(failure_class, len(list(failures)), threshold or None)


def _opt_outs(case: Case) -> Iterator[OptOut]:
    if case.contact is None:
        return
    consent = case.contact.consent
    for scope in consent.opted_out:
        opt_out = consent.of(scope).opt_out
        if opt_out is not None:
            yield OptOut(scope, opt_out.source, opt_out.at, opt_out.message_id, applies=scope in case.mailing.scopes)


# --- attempts ---------------------------------------------------------------------------------------------------------


def _attempt(case: Case, message: Message) -> Attempt:
    failures = case.contact.reachability.failures if case.contact is not None else frozenset()
    words = next((f.detail for f in failures if f.message_id == message.key.message_id and f.detail), None)
    return Attempt(message, attempt_sentence(message), words)


def attempt_sentence(message: Message) -> str:
    """What became of a message: the code table's sentence for a failure, otherwise its status in words."""
    if message.status in (MessageStatus.FAILED, MessageStatus.BOUNCED):
        if message.provider is None:
            return "It failed, and nobody said why."
        return look_up(message.provider, message.provider_code).sentence
    if message.status is MessageStatus.EXCLUDED and message.barrier is not None:
        return _KEPT_BACK[message.barrier].format(plural="emails" if message.channel is Channel.EMAIL else "texts")
    if message.status is MessageStatus.EXCLUDED and message.reason in list(Exclusion):
        return f"It was left out: {WORDS[Exclusion(message.reason)].left_out}."
    return _STATUSES[message.status]


_STATUSES: Final[Mapping[MessageStatus, str]] = {
    MessageStatus.QUEUED: "It is waiting to be sent.",
    MessageStatus.SENDING: "It is being handed to the provider.",
    MessageStatus.UNCERTAIN: "Nobody knows yet whether it went out; the provider's next word settles it.",
    MessageStatus.SENT: "The provider has taken it and has not said yet what became of it.",
    MessageStatus.DELIVERED: "It was delivered.",
    MessageStatus.EXCLUDED: "It was left out right before the send.",
    MessageStatus.CANCELLED: "It was cancelled before it was sent.",
}
_KEPT_BACK: Final[Mapping[Barrier, str]] = {
    Barrier.SWITCHED_OFF: "It was left out: the business had switched {plural} off.",
    Barrier.CONFIRMATIONS_OFF: "It was left out: the business had switched text confirmations off.",
    Barrier.NO_BUNDLE: "It was left out: without the premium bundle, the business had no text confirmations.",
    Barrier.NO_STOP_URL: "It was left out: it had no link to stop such {plural} with, and came from a name.",
    Barrier.NO_ANSWERS: "It was left out: it asked for an answer, and the business sent {plural} from a name.",
    Barrier.NO_SENDER: "It was left out: the business had no sender set for {plural}.",
}
