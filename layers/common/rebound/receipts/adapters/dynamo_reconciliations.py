"""How far comparisons with the suppression list are, kept in the Directory table."""

from datetime import UTC, datetime, timedelta
from typing import Final

from rebound.contacts.domain.suppressions import Drift
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import expiry
from rebound.receipts.domain import Reconciliation

RECONCILIATION_KEPT: Final = timedelta(days=7)


class DynamoReconciliationBook(Directory):
    """Implements ``ReconciliationBook``: rows of the deployment, beside those of its businesses."""

    kind = "reconciliation"
    owner: Final = "#deployment"
    """Stands where other rows have a business id; no business has this id."""

    def get(self, run: str) -> Reconciliation:
        document = self.get_document(self.owner, run)
        if document is None:
            return Reconciliation(run)
        drift = {Drift(kind): count for kind, count in document["drift"].items()}
        return Reconciliation(run, document["cursor"], document["entries"], drift, document["done"])

    def save(self, reconciliation: Reconciliation) -> None:
        document = {
            "cursor": reconciliation.cursor,
            "entries": reconciliation.entries,
            "drift": dict(reconciliation.drift),
            "done": reconciliation.done,
        }
        expires_at = expiry(datetime.now(UTC), RECONCILIATION_KEPT)
        self.put_document(self.owner, reconciliation.run, document, expires_at=expires_at)
