"""Why does this customer not get our messages? The rules of ``eligibility``, walked one by one, in plain English.

Nothing is decided here: the rules decide, this module says what they saw. The readers are people at a reception desk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.businesses.domain.quiet_hours import HoldReason
from rebound.businesses.domain.switches import Barrier
from rebound.contacts.domain.reachability import REACHABLE
from rebound.eligibility.domain.eligibility import RULES, Exclusion, Hold, decision_on
from rebound.eligibility.domain.next_steps import address_noun, days, kind_of_message, next_step, plural_noun, written
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import Scope
from rebound.kernel.provider_codes import look_up
from rebound.messages.domain.messages import MessageStatus

if TYPE_CHECKING:
    from rebound.businesses.domain.frequency import CapState
    from rebound.contacts.domain.reachability import Cleared, Failure, Verdict
    from rebound.eligibility.domain.eligibility import Case, Decision, Rule
    from rebound.kernel.consent_words import ConsentSource
    from rebound.kernel.provider_codes import FailureClass
    from rebound.messages.domain.messages import Message

SHOWN_ATTEMPTS: Final = 5
SHOWN_ZONES: Final = 4


class RuleOutcome(StrEnum):
    """How a rule came out."""

    PASSED = "passed"
    STOPS = "stops_here"
    """This rule is the reason; the ones after it are not asked."""
    HOLDS = "holds_here"
    """Nobody is left out by this rule, but the message waits for it."""
    NOT_REACHED = "not_reached"


class RuleResult(Struct, frozen=True):
    """One rule with its outcome, in words, and the data that it looked at; none when it was not reached."""

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
    """How many failures of a class are known since the last clearing, and how many flag.

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
    """Of messages of this kind, when the business has them go by the schedule."""
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
    for rule in RULES:
        if stopped:
            yield RuleResult(rule.exclusion, RuleOutcome.NOT_REACHED, "Not asked: a rule before it has decided.")
            continue
        stopped = rule.stops(case)
        if rule.exclusion is Exclusion.QUIET_HOURS and isinstance(decision, Hold):
            yield _result(rule, case, RuleOutcome.HOLDS, holding_sentence(decision, case))
        elif stopped:
            yield _result(rule, case, RuleOutcome.STOPS, stopping_sentence(rule.exclusion, case))
        else:
            yield _result(rule, case, RuleOutcome.PASSED, passing_sentence(rule.exclusion, case))


def _result(rule: Rule, case: Case, outcome: RuleOutcome, sentence: str) -> RuleResult:
    return RuleResult(rule.exclusion, outcome, sentence, MappingProxyType(dict(rule.looks_at(case))))


# --- rules in words ---------------------------------------------------------------------------------------------------


def stopping_sentence(exclusion: Exclusion, case: Case) -> str:
    """Why somebody is left out."""
    return _STOPS[exclusion](case)


def holding_sentence(hold: Hold, case: Case) -> str:
    """Why somebody gets it later."""
    when = f"sent on {written(hold.until, case)}, by the business's clock"
    if hold.because is HoldReason.SEND_AT:
        return f"The time for which the message was planned has not come where the customer is; it is {when}."
    return (
        f"It is quiet time {_where(case)}, so {kind_of_message(case).lower()} wait and are {when}. Quiet hours for "
        f"{plural_noun(case)} are {_hours(case)}."
    )


def _hours(case: Case) -> str:
    window = case.business.quiet_hours.window(case.mailing.channel, case.mailing.category)
    return "none" if window is None else f"{window.start:%H:%M} to {window.end:%H:%M}"


def _where(case: Case) -> str:
    """Where the customer is, or may be, and how that is known."""
    zones = sorted(case.places.zones)
    if case.customer.time_zone is not None:
        return f"where the customer is ({zones[0]}, as entered here)"
    if len(zones) == 1:
        return f"where the customer is taken to be ({zones[0]})"
    named = ", ".join(zones[:SHOWN_ZONES])
    more = f" and {len(zones) - SHOWN_ZONES} more" if len(zones) > SHOWN_ZONES else ""
    return f"in one of the time zones that the mobile number may belong to ({named}{more})"


def passing_sentence(exclusion: Exclusion, case: Case) -> str:
    """What a rule found that lets the message pass; only for exclusions that have a rule."""
    return _PASSES[exclusion](case)


_BARRED: Final[Mapping[Barrier, str]] = {
    Barrier.SWITCHED_OFF: "The business has switched {plural} off, so none go out.",
    Barrier.CONFIRMATIONS_OFF: "The business has switched text confirmations off, so none go out.",
    Barrier.NO_BUNDLE: "Text confirmations come with the premium bundle, which the business does not have.",
    Barrier.NO_SENDER: "The business has no sender set for {plural}, so none go out.",
}


def _not_sent(case: Case) -> str:
    return _BARRED[case.barrier or Barrier.NO_SENDER].format(plural=plural_noun(case))


def _can_be_sent(case: Case) -> str:
    asks = case.mailing.asks_confirmation and not _is_email(case)
    return f"The business can send {'text confirmations' if asks else plural_noun(case)}."


def _no_address(case: Case) -> str:
    rest = "" if case.mailing.channel is Channel.EMAIL else "; day and night numbers are not texted"
    return f"The customer has no {address_noun(case)}{rest}."


def _opted_out(case: Case) -> str:
    return f"The customer has opted out of {case.opted_out_of or Scope.ALL} {plural_noun(case)} from this business."


def _flagged(case: Case) -> str:
    evidence = _verdict(case).evidence
    cause = FailureEvidence.of(evidence).sentence if evidence is not None else "Messages to it came back."
    probe = (
        ""
        if case.next_try_at is None
        else f" One marketing message is tried from {written(case.next_try_at, case)} on."
    )
    flagged = f"The {address_noun(case)} is flagged as invalid, and {kind_of_message(case).lower()} leave it out."
    return f"{flagged} {cause}{probe}"


def _not_yet(case: Case) -> str:
    evidence, due = _verdict(case).evidence, case.next_try_at
    cause = f" {FailureEvidence.of(evidence).sentence}" if evidence is not None else ""
    when = f"from {written(due, case)} on" if due is not None else "later"
    return (
        f"The {address_noun(case)} is flagged as invalid, and {kind_of_message(case).lower()} are tried {when}.{cause}"
    )


def _capped(case: Case) -> str:
    full = [state for state in _cap_states(case) if state.free_again_at is not None]
    caps = " and ".join(
        f"“{state.cap.name}” allows (at most {state.cap.at_most} within {days(state.cap.within_days)})"
        for state in full
    )
    when = f", and is free again on {written(case.free_again_at, case)}" if case.free_again_at is not None else ""
    return f"The customer has had as many messages as {caps or 'you allow'}{when}."


_STOPS: Final[Mapping[Exclusion, Callable[[Case], str]]] = {
    Exclusion.NOT_FOUND: lambda _: "There is no such customer (any more).",
    Exclusion.CHANNEL_OFF: _not_sent,
    Exclusion.NO_ADDRESS: _no_address,
    Exclusion.OPTED_OUT: _opted_out,
    Exclusion.NOT_CONFIRMED: lambda case: (
        f"The business sends marketing {plural_noun(case)} only to those who have confirmed that they want them, and "
        "this customer has not."
    ),
    Exclusion.INVALID_CONTACT: _flagged,
    Exclusion.WAITING_FOR_RETRY: _not_yet,
    Exclusion.FREQUENCY_CAP: _capped,
    Exclusion.EXPIRED: lambda case: (
        f"The message would come too late: it was to arrive before {_until(case)}, and it may not go out before then."
    ),
    Exclusion.QUIET_HOURS: lambda case: (
        "No minute of the day is outside the quiet hours everywhere the customer may be: the mobile number may belong "
        f"to {len(case.places.zones)} time zones."
    ),
    Exclusion.CANNOT_RENDER: lambda _: "With this customer's details filled in, the message was empty or far too long.",
}


def _allowed(case: Case) -> str:
    if case.contact is not None and case.contact.consent.opted_out:
        only = " and ".join(case.contact.consent.opted_out)
        return f"The customer has opted out of {only} {plural_noun(case)} only, and this is none."
    return f"The customer has not opted out of {plural_noun(case)}."


def _need_not_confirm(case: Case) -> str:
    if not case.mailing.category.is_promotional:
        return "This rule is about marketing."
    if not case.business.double_opt_in.is_asked_for(case.mailing.channel):
        return f"The business asks nobody to confirm that they want marketing {plural_noun(case)}."
    return "The customer has confirmed that they want marketing."


def _not_left_out(case: Case) -> str:
    noun = address_noun(case)
    if not _verdict(case).invalid:
        return f"The {noun} is not flagged as invalid."
    if not case.mailing.category.is_promotional:
        how = "still tried" if case.next_try_at is None else "tried now and then"
        return f"The {noun} is flagged as invalid, but {kind_of_message(case).lower()} are {how}."
    if case.try_is_due:
        return f"The {noun} is flagged as invalid, but a try with one marketing message is due."
    return f"The {noun} is flagged as invalid, but this campaign is sent to it all the same."


def _need_not_wait(case: Case) -> str:
    noun = address_noun(case)
    if case.mailing.category.is_promotional:
        return "This rule is about messages that are not marketing."
    if not case.business.recovery.spaced:
        return "The business tries flagged addresses every time."
    if not _verdict(case).invalid:
        return f"The {noun} is not flagged as invalid."
    if case.next_try_at is None:
        return f"The {noun} is flagged for something that does not pass by itself, and is tried every time."
    if case.try_is_due:
        return f"The {noun} is flagged as invalid, and its next try is due."
    return f"The {noun} is flagged as invalid, but this campaign is sent to it all the same."


def _has_room(case: Case) -> str:
    if not case.business.is_capped(case.mailing.category, case.mailing.channel):
        return f"The business has no cap on how many {kind_of_message(case).lower()} a customer gets."
    counted = ", ".join(f"{s.counted} of {s.cap.at_most} by “{s.cap.name}”" for s in _cap_states(case))
    return f"There is room for one more under every cap{f': {counted} so far' if counted else ''}."


def _cap_states(case: Case) -> Sequence[CapState]:
    return () if case.frequency is None else case.frequency.states(case.business.frequency_caps, case.hand_over)


def _until(case: Case) -> str:
    return written(case.mailing.expires_at or case.now, case)


def _is_not_quiet(case: Case) -> str:
    if case.business.quiet_hours.window(case.mailing.channel, case.mailing.category) is None:
        return f"{kind_of_message(case)} by {'email' if _is_email(case) else 'text'} go out at any hour."
    return f"It is not quiet time {_where(case)}; quiet hours for {plural_noun(case)} are {_hours(case)}."


_PASSES: Final[Mapping[Exclusion, Callable[[Case], str]]] = {
    Exclusion.CHANNEL_OFF: _can_be_sent,
    Exclusion.NO_ADDRESS: lambda case: f"The customer has a{'n' * _is_email(case)} {address_noun(case)}.",
    Exclusion.OPTED_OUT: _allowed,
    Exclusion.NOT_CONFIRMED: _need_not_confirm,
    Exclusion.INVALID_CONTACT: _not_left_out,
    Exclusion.WAITING_FOR_RETRY: _need_not_wait,
    Exclusion.FREQUENCY_CAP: _has_room,
    Exclusion.EXPIRED: lambda case: (
        "The message has no time after which it would come too late."
        if case.mailing.expires_at is None
        else f"The message is in time: it has until {_until(case)}."
    ),
    Exclusion.QUIET_HOURS: _is_not_quiet,
}


def _is_email(case: Case) -> bool:
    return case.mailing.channel is Channel.EMAIL


def _verdict(case: Case) -> Verdict:
    return case.contact.verdict(case.business.policy) if case.contact is not None else REACHABLE


# --- evidence ---------------------------------------------------------------------------------------------------------


def _counts(case: Case) -> Iterator[FailureCount]:
    if case.contact is None:
        return

    policy = case.business.policy

    def kind(failure: Failure) -> tuple[FailureClass, int]:
        row = look_up(failure.provider, failure.code)
        return (row.failure_class, policy.threshold_of(row.provider, row.code) or 0)

    for (failure_class, threshold), failures in groupby(sorted(case.contact.reachability.standing, key=kind), key=kind):
        yield FailureCount(failure_class, len(list(failures)), threshold or None)


def _opt_outs(case: Case) -> Iterator[OptOut]:
    if case.contact is None:
        return
    consent = case.contact.consent
    for scope in consent.opted_out:
        said = consent.of(scope).standing
        if said is not None:
            yield OptOut(scope, said.source, said.at, said.message_id, applies=scope in case.mailing.category.scopes)


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
        return _LEFT_OUT[Exclusion(message.reason)]
    return _STATUSES[message.status]


_STATUSES: Final[Mapping[MessageStatus, str]] = {
    MessageStatus.QUEUED: "It is waiting to be sent.",
    MessageStatus.SENDING: "It is being handed to the provider.",
    MessageStatus.UNCERTAIN: "Nobody knows yet whether it went out; the provider's next word settles it.",
    MessageStatus.SENT: "The provider has taken it and has not said yet what became of it.",
    MessageStatus.DELIVERED: "It was delivered.",
    MessageStatus.EXCLUDED: "It was left out right before the send.",
    MessageStatus.CANCELLED: "Its campaign was cancelled before it was sent.",
}
_KEPT_BACK: Final[Mapping[Barrier, str]] = {
    Barrier.SWITCHED_OFF: "It was left out: the business had switched {plural} off.",
    Barrier.CONFIRMATIONS_OFF: "It was left out: the business had switched text confirmations off.",
    Barrier.NO_BUNDLE: "It was left out: without the premium bundle, the business had no text confirmations.",
    Barrier.NO_SENDER: "It was left out: the business had no sender set for {plural}.",
}
_LEFT_OUT: Final[Mapping[Exclusion, str]] = {
    Exclusion.NOT_FOUND: "It was left out: the customer had been removed.",
    Exclusion.CHANNEL_OFF: "It was left out: the business had switched such messages off, or had no sender set.",
    Exclusion.NO_ADDRESS: "It was left out: the customer had no address to send it to.",
    Exclusion.OPTED_OUT: "It was left out: the customer had opted out.",
    Exclusion.NOT_CONFIRMED: "It was left out: the customer had not confirmed that they want marketing.",
    Exclusion.INVALID_CONTACT: "It was left out: the address was flagged as invalid.",
    Exclusion.WAITING_FOR_RETRY: "It was left out: the address was flagged as invalid, and its next try not due yet.",
    Exclusion.FREQUENCY_CAP: "It was left out: the customer had had as many messages as a cap allows.",
    Exclusion.EXPIRED: "It was left out: by the time at which it could go out it would have come too late.",
    Exclusion.QUIET_HOURS: "It was left out: it was quiet time at every hour in one of the zones of its mobile number.",
    Exclusion.CANNOT_RENDER: "It was left out: with this customer's details filled in, it was empty or far too long.",
}
