"""Deleting a job's customers in the transaction that commits its progress past them."""

from __future__ import annotations

from copy import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rebound.customers.ports import CustomerTransactions
    from rebound.jobs.domain.job_records import JobProgress
    from rebound.jobs.ports import JobTransactions
    from rebound.segments.domain import Removal


class DynamoRemovalLedger:
    """Implements ``RemovalLedger`` over the tables of customers, contacts and jobs."""

    def __init__(self, jobs: JobTransactions, customers: CustomerTransactions) -> None:
        self._jobs = jobs
        self._customers = customers

    def commit(self, progress: JobProgress, removal: Removal) -> JobProgress:
        with self._jobs.committing(progress) as writes:
            self._customers.delete_within(writes, removal.customers, removal.contacts)
        return replace(progress, version=progress.version + 1)
