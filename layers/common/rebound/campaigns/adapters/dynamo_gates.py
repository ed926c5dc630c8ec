"""How sequences stand for who hands over their messages, in the Directory table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rebound.campaigns.domain.gates import Gate
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import read_instant, write_instant

if TYPE_CHECKING:
    from pynamodb.transactions import TransactWrite


class DynamoSequenceGates(Directory):
    """Implements ``SequenceGates`` and ``GateTransactions``; a small row, because it is read for each chunk."""

    kind = "sequence-gate"

    def get(self, business_id: str, sequence_id: str) -> Gate | None:
        document = self.get_document(business_id, sequence_id)
        if document is None:
            return None
        lapsed = document["lapsed_until"]
        return Gate(
            document["uid"],
            document["is_open"],
            None if lapsed is None else read_instant(lapsed),
            int(document["version"]),
        )

    def write_within(self, writes: TransactWrite, business_id: str, sequence_id: str, gate: Gate | None) -> None:
        """Write one, or remove it, in the transaction that writes its sequence."""
        row = self.row(business_id, self.entry(sequence_id))
        if gate is None:
            writes.delete(row)
            return
        lapsed = gate.lapsed_until
        row.document = {
            "uid": gate.uid,
            "is_open": gate.is_open,
            "lapsed_until": None if lapsed is None else write_instant(lapsed),
            "version": gate.version,
        }
        writes.save(row)
