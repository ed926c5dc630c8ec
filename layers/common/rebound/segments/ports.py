"""What segments need from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rebound.customers.ports import CustomersPorts
from rebound.jobs.ports import JobsPorts

if TYPE_CHECKING:
    from rebound.application.ports import RemovalLedger, SegmentBook


class SegmentsPorts(CustomersPorts, JobsPorts, Protocol):
    """What the use cases of segments need from outside."""

    @property
    def segments(self) -> SegmentBook: ...

    @property
    def removal_ledger(self) -> RemovalLedger: ...
