"""Can this address be reached? A fold over evidence by event time (truth 2).

The state is a join of what is known, so order, duplication and concurrency of evidence do not matter:

* ``cleared`` is the latest evidence that the address is good (a delivery, an edit, a confirmation): a max register.
* ``failures`` is the set of failures *after* that evidence. An earlier failure proves nothing any more and is dropped
  whenever it arrives. Of each provider code, only the newest ``KEPT_PER_CODE`` are kept: this bounds the size, and to
  keep the newest of a union is a join as well.
* ``tried`` is the latest message that was sent to a flagged address because a try was due (``contacts.Recovery``): a
  max register as well, dropped like a failure by a later clearing. It speaks neither for the address nor against it.
* ``voided`` is the set of messages whose failures are no evidence, because a person said that somebody else was at
  fault when they were sent. The set only grows. Their failures stay in the state and are left out of the verdict only,
  so it does not matter whether they come before the message is voided, after, or repeatedly. The newest ``KEPT_VOIDED``
  are kept; then every message older than these counts as voided too, so that no voided message ever counts again.

At the very same instant, a clearing wins over a failure. The verdict is computed from the state and a policy and never
stored as a truth of its own: another policy gives another verdict from the same evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from types import MappingProxyType

from msgspec import Struct

from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.provider_codes import FailureClass, Provider, look_up

HIGHEST_COUNT = 20
"""The highest count that a policy may ask for."""
KEPT_PER_CODE = HIGHEST_COUNT + 5
"""Enough failures after the one that flagged to tell how far apart the tries are by now (``contacts.next_try_at``)."""
KEPT_VOIDED = 100
"""Far more messages than are sent to one address while somebody is at fault."""


class ClearedBy(StrEnum):
    """What spoke for the address."""

    DELIVERY = "delivery"
    EDIT = "edit"
    CONFIRMATION = "confirmation"
    CUSTOMER = "customer"
    """The owner of the address gave it, or confirmed it."""


class Cleared(Struct, frozen=True):
    """Evidence that the address is good as of ``at``."""

    at: datetime
    by: ClearedBy
    message_id: str | None = None


class Failure(Struct, frozen=True):
    """Evidence that a message to the address failed at ``at``, with the provider's code and its own words."""

    at: datetime
    message_id: str | None
    """``None`` for an entry of the provider's suppression list, which names no message."""
    provider: Provider
    code: str
    detail: str | None = None

    @property
    def order(self) -> tuple[datetime, str, str, str, str]:
        """A strict order: by time, then by what tells failures of one instant apart."""
        return (self.at, self.message_id or "", self.provider, self.code, self.detail or "")


class Voided(Struct, frozen=True):
    """A person said that the failures of a message say nothing about the address."""

    message_id: str


class Tried(Struct, frozen=True):
    """A message was about to be sent to the address at ``at``, as the one try that was due, whatever came of it."""

    at: datetime
    message_id: str


Evidence = Cleared | Failure | Tried | Voided


class Reachability(Struct, frozen=True):
    """The evidence about one address that is kept."""

    cleared: Cleared | None = None
    failures: frozenset[Failure] = frozenset()
    voided: frozenset[str] = frozenset()
    tried: Tried | None = None

    def join(self, *evidence: Evidence) -> Reachability:
        """The state that also knows ``evidence``: commutative, associative, idempotent."""
        clearings = [e for e in evidence if isinstance(e, Cleared)]
        if self.cleared is not None:
            clearings.append(self.cleared)
        cleared = max(clearings, key=lambda c: (c.at, c.by, c.message_id or ""), default=None)
        failures = self.failures.union(e for e in evidence if isinstance(e, Failure))
        voided = self.voided.union(e.message_id for e in evidence if isinstance(e, Voided))
        tries = [e for e in (*evidence, self.tried) if isinstance(e, Tried) and _counts(e, cleared)]
        return Reachability(
            cleared,
            frozenset(_newest_per_code(f for f in failures if _counts(f, cleared))),
            frozenset(sorted(voided)[-KEPT_VOIDED:]),
            max(tries, key=lambda t: (t.at, t.message_id), default=None),
        )

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """All that is kept, as the evidence from which ``join`` makes this state again."""
        single = (one for one in (self.cleared, self.tried) if one is not None)
        return (*single, *self.failures, *map(Voided, self.voided))

    @property
    def counted_failures(self) -> frozenset[Failure]:
        """The failures that speak against the address: those that nobody has voided."""
        if not self.voided:
            return self.failures
        oldest = min(self.voided) if len(self.voided) == KEPT_VOIDED else ""
        return frozenset(
            f
            for f in self.failures
            if f.message_id is None or (f.message_id not in self.voided and f.message_id >= oldest)
        )

    def verdict(self, policy: ReachabilityPolicy) -> Verdict:
        """Whether the address is invalid under ``policy``, and by which failure it became so."""
        seen = dict.fromkeys(FailureClass, 0)
        for failure in sorted(self.counted_failures, key=lambda f: f.order):
            row = look_up(failure.provider, failure.code)
            threshold = policy.threshold_of(failure.provider, failure.code)
            if threshold is None:
                continue
            seen[row.failure_class] += 1
            if seen[row.failure_class] >= threshold:
                return Verdict(invalid=True, reason=row.reason, since=failure.at, evidence=failure)
        return REACHABLE


def _counts(evidence: Failure | Tried, cleared: Cleared | None) -> bool:
    return cleared is None or evidence.at > cleared.at


def _newest_per_code(failures: Iterable[Failure]) -> Iterable[Failure]:
    def code(failure: Failure) -> tuple[Provider, str]:
        return (failure.provider, failure.code)

    for _, group in groupby(sorted(failures, key=code), key=code):
        yield from sorted(group, key=lambda f: f.order)[-KEPT_PER_CODE:]


class PolicyPreset(StrEnum):
    """The name of a policy."""

    STRICT = "strict"
    """Only what says that the address does not exist."""
    STANDARD = "standard"
    """The default."""
    CUSTOM = "custom"
    """The business's own counts."""


class ReachabilityPolicy(Struct, frozen=True):
    """How many failures of a class since the last clearing make an address invalid; a class without a count never does.

    With ``codes``, only these codes count; ``None`` means every code of the classes that have a count. A policy with
    more codes, more classes and lower counts flags at least every address that the other policy flags.
    """

    thresholds: Mapping[FailureClass, int]
    codes: frozenset[tuple[Provider, str]] | None = None
    preset: PolicyPreset = PolicyPreset.CUSTOM

    def threshold_of(self, provider: Provider, code: str) -> int | None:
        """The count for this code's class; ``None`` when such failures never flag, however many there are."""
        if self.codes is not None and (provider, code) not in self.codes:
            return None
        return self.thresholds.get(look_up(provider, code).failure_class)


FLAGGING_CLASSES = tuple(known for known in FailureClass if known.is_about_the_address)
"""The classes that a policy may give a count; the others say nothing about an address."""

STANDARD_POLICY = ReachabilityPolicy(
    MappingProxyType({FailureClass.INVALID: 1, FailureClass.UNREACHABLE: 5}), preset=PolicyPreset.STANDARD
)
"""The product description flags at once on a bad address and on a full mailbox; 5 is Rebound's own count."""

STRICT_POLICY = ReachabilityPolicy(
    MappingProxyType({FailureClass.INVALID: 1}),
    frozenset(
        {
            (Provider.TWILIO, "21211"),
            (Provider.SES, "Permanent/NoEmail"),
            (Provider.SES, "Permanent/General"),
            # Only a permanent bounce puts an address on the suppression list.
            (Provider.SES, "SuppressionList/BOUNCE"),
            (Provider.SES, "smtp/5.1.1"),
            (Provider.SES, "smtp/5.1.2"),
            (Provider.SES, "smtp/5.1.3"),
            (Provider.SES, "smtp/5.1.10"),
            (Provider.SES, "smtp/5.4.4"),
        },
    ),
    PolicyPreset.STRICT,
)
"""Only Twilio's 21211, SES's permanent bounces and a mail server's word that there is no such address flag."""

_PRESETS: Mapping[PolicyPreset, ReachabilityPolicy] = MappingProxyType(
    {policy.preset: policy for policy in (STANDARD_POLICY, STRICT_POLICY)}
)


def policy_of(preset: str, counts: Mapping[str, int] | None = None) -> ReachabilityPolicy:
    """The policy of a preset or, with ``custom``, of a business's own counts by class.

    :raises InvalidInputError: with the path of each field that is wrong, as the client wrote it below ``policy``.
    """
    if preset != PolicyPreset.CUSTOM:
        policy = _PRESETS.get(PolicyPreset(preset)) if preset in list(PolicyPreset) else None
        if policy is None:
            raise InvalidInputError(FieldError("policy.preset", f"Must be one of {', '.join(PolicyPreset)}."))
        if counts is not None:
            raise InvalidInputError(FieldError("policy.counts", 'Only goes with the preset "custom".'))
        return policy
    if counts is None:
        raise InvalidInputError(FieldError("policy.counts", 'Is required with the preset "custom".'))
    errors = [
        FieldError(f"policy.counts.{name}", f"Only {', '.join(FLAGGING_CLASSES)} can have a count.")
        if name not in FLAGGING_CLASSES
        else FieldError(f"policy.counts.{name}", f"Must be from 1 to {HIGHEST_COUNT}.")
        for name, count in counts.items()
        if name not in FLAGGING_CLASSES or not 1 <= count <= HIGHEST_COUNT
    ]
    if errors:
        raise InvalidInputError(*errors)
    return ReachabilityPolicy(MappingProxyType({FailureClass(name): count for name, count in counts.items()}))


def counts_of(policy: ReachabilityPolicy) -> dict[str, int] | None:
    """The counts from which ``policy_of`` makes this policy again; ``None`` for a preset, whose name is enough."""
    if policy.preset is not PolicyPreset.CUSTOM:
        return None
    return {str(known): count for known, count in sorted(policy.thresholds.items())}


class Verdict(Struct, frozen=True):
    """The flag: ``reason`` is from the code table, ``since`` the time of the failure that made the address invalid."""

    invalid: bool
    reason: str | None = None
    since: datetime | None = None
    evidence: Failure | None = None


REACHABLE = Verdict(invalid=False)
