"""Faults that a test switches on: throttles, errors, and callbacks that come late, twice or never."""

import random
import threading
from collections.abc import Mapping, Sequence
from copy import replace
from dataclasses import asdict, dataclass
from enum import Enum, StrEnum
from typing import Any

from local.twin.callbacks import Step


class Provider(StrEnum):
    """Who a fault, a send or a callback belongs to."""

    SES = "ses"
    TWILIO = "twilio"
    SNS = "sns"


class FaultKind(StrEnum):
    """What can go wrong on request."""

    THROTTLE = "throttle"
    DENY = "deny"
    ERROR = "error"
    DELAY = "delay"
    DUPLICATE = "duplicate"
    DROP_CALLBACKS = "drop_callbacks"


class ErrorMoment(Enum):
    """When an HTTP 500 strikes: with nothing sent, or with everything sent."""

    BEFORE_ACCEPTING = "before"
    AFTER_ACCEPTING = "after"


_LATEST_SECONDS = 600
ALLOWED: Mapping[str, Any] = {
    "provider": [provider.value for provider in Provider],
    "kind": [kind.value for kind in FaultKind],
    "rate": "a number from 0 to 1; 0 removes the fault",
    "seed": "an integer (optional, 0)",
    "seconds": f"how late at most, above 0 and up to {_LATEST_SECONDS} (optional, 5; delay only)",
}
_DUPLICATE_WITHIN_SECONDS = 2.0


class FaultRequestError(ValueError):
    """A fault that cannot be set; the text says which field and why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: ``rate`` is the probability for a call (throttle, deny, error) or for a callback (the others)."""

    provider: Provider
    kind: FaultKind
    rate: float
    seed: int = 0
    seconds: float = 5.0

    @classmethod
    def parse(cls, document: object) -> "Fault":
        """Read a request body; raises FaultRequestError."""
        if not isinstance(document, dict):
            raise FaultRequestError("the body must be a JSON object")
        if unknown := sorted(set(document) - set(ALLOWED)):
            raise FaultRequestError(f"unknown field: {', '.join(map(str, unknown))}")
        for field in ("provider", "kind"):
            if document.get(field) not in ALLOWED[field]:
                raise FaultRequestError(f"{field} must be one of {', '.join(ALLOWED[field])}")
        rate = _number(document, "rate", None)
        if not 0 <= rate <= 1:
            raise FaultRequestError("rate must be a number from 0 to 1")
        seed = document.get("seed", 0)
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise FaultRequestError("seed must be an integer")
        seconds = _number(document, "seconds", 5.0)
        if not 0 < seconds <= _LATEST_SECONDS:
            raise FaultRequestError(f"seconds must be above 0 and at most {_LATEST_SECONDS}")
        kind = FaultKind(document["kind"])
        if "seconds" in document and kind is not FaultKind.DELAY:
            raise FaultRequestError("seconds goes with kind delay only")
        return cls(Provider(document["provider"]), kind, rate, seed, seconds)


def _number(document: Mapping[str, Any], field: str, default: float | None) -> float:
    value = document.get(field, default)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise FaultRequestError(f"{field} must be a number")
    return float(value)


class FaultBoard:
    """The faults that are on, each with its own seeded dice."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[tuple[Provider, FaultKind], tuple[Fault, random.Random]] = {}

    def put(self, fault: Fault) -> None:
        """Switch a fault on, in place of one of the same provider and kind; rate 0 switches it off."""
        with self._lock:
            self._faults.pop((fault.provider, fault.kind), None)
            if fault.rate > 0:
                # Dice for tests, not for secrets.
                self._faults[fault.provider, fault.kind] = fault, random.Random(fault.seed)  # noqa: S311

    def clear(self) -> None:
        """Switch every fault off."""
        with self._lock:
            self._faults.clear()

    def listing(self) -> list[dict[str, Any]]:
        """The faults that are on, in the shape in which they are set."""
        with self._lock:
            faults = [asdict(fault) for fault, _ in self._faults.values()]
        for fault in faults:
            if fault["kind"] is not FaultKind.DELAY:
                del fault["seconds"]
        return faults

    def throttles_call(self, provider: Provider) -> bool:
        """Whether to refuse this call as a whole."""
        return self._strikes(provider, FaultKind.THROTTLE) is not None

    def denies(self, provider: Provider) -> bool:
        """Whether whoever calls is not allowed to."""
        return self._strikes(provider, FaultKind.DENY) is not None

    def throttles_bulk(self, provider: Provider, entries: int) -> list[bool] | None:
        """Which entries of a bulk call to refuse, or None to refuse the call as a whole.

        Half of the rate falls on whole calls, the rest on entries, so that an entry is refused with the probability
        ``rate`` all in all.
        """
        with self._lock:
            fault, dice = self._faults.get((provider, FaultKind.THROTTLE), (None, None))
            if fault is None or dice is None:
                return [False] * entries
            if dice.random() < fault.rate / 2:
                return None
            share = (fault.rate / 2) / (1 - fault.rate / 2)
            return [dice.random() < share for _ in range(entries)]

    def error(self, provider: Provider) -> ErrorMoment | None:
        """Whether, and when, this call ends in an HTTP 500."""
        dice = self._strikes(provider, FaultKind.ERROR)
        return None if dice is None else dice.choice(list(ErrorMoment))

    def disturb[P](self, provider: Provider, steps: Sequence[Step[P]]) -> list[list[Step[P]]]:
        """The callbacks of one message as they will really come: the sequence itself, then stray duplicates.

        A late callback holds back the ones after it in its sequence; duplicates come on their own, up to two seconds
        later than the first copy was due.
        """
        if not steps:
            return []
        kept: list[Step[P]] = []
        strays: list[list[Step[P]]] = []
        for step in steps:
            if self._strikes(provider, FaultKind.DROP_CALLBACKS):
                continue
            late = self._late(provider)
            kept.append(replace(step, due=step.due + late))
            if dice := self._strikes(provider, FaultKind.DUPLICATE):
                strays.append([replace(step, due=step.due + late + dice.uniform(0.05, _DUPLICATE_WITHIN_SECONDS))])
        return [sequence for sequence in (kept, *strays) if sequence]

    def _late(self, provider: Provider) -> float:
        fault, _ = self._faults.get((provider, FaultKind.DELAY), (None, None))
        dice = self._strikes(provider, FaultKind.DELAY)
        return dice.uniform(0, fault.seconds) if dice and fault else 0.0

    def _strikes(self, provider: Provider, kind: FaultKind) -> random.Random | None:
        """The fault's dice if it strikes now."""
        with self._lock:
            fault, dice = self._faults.get((provider, kind), (None, None))
            return dice if fault and dice and dice.random() < fault.rate else None
