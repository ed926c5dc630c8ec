"""The form in which a reachability policy is kept with the settings and put on a queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rebound.contacts.domain.reachability import STANDARD_POLICY, counts_of, policy_of

if TYPE_CHECKING:
    from rebound.contacts.domain.reachability import ReachabilityPolicy


def write_policy(policy: ReachabilityPolicy) -> Mapping[str, Any]:
    """The stored form: a preset by its name only, so that it stays what the name means."""
    return {"preset": policy.preset, "counts": counts_of(policy)}


def read_policy(document: Mapping[str, Any] | None) -> ReachabilityPolicy:
    """The policy of its stored form; settings from before there were policies have none, and mean the standard."""
    return STANDARD_POLICY if document is None else policy_of(document["preset"], document["counts"])
