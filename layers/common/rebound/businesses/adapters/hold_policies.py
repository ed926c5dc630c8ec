"""The operator's policy for holding accounts, in the Directory table."""

from __future__ import annotations

from typing import Final

from msgspec import convert, to_builtins

from rebound.businesses.domain.holds import HoldPolicy
from rebound.platform.adapters.directory import Directory

_OPERATORS: Final = "#policies"
"""Partition key, in place of a business id."""


class DynamoHoldPolicies(Directory):
    """Implements ``HoldPolicyBook``."""

    kind = "hold"

    def get(self) -> HoldPolicy | None:
        document = self.get_document(_OPERATORS)
        return convert(document, HoldPolicy, strict=False).as_taken_now if document else None

    def put(self, policy: HoldPolicy | None) -> None:
        self.put_document(_OPERATORS, "", {} if policy is None else to_builtins(policy))
