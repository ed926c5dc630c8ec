"""Relations in the Directory table: a row for each customer who has any, each invitation, and each address asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from rebound.kernel.ids import time_of
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import (
    DirectoryRow,
    as_read,
    expiry,
    lost_races,
    next_version,
    read_instant,
    transaction,
    write_instant,
)
from rebound.relations.domain import AskedAt, Invitation, Relation, Relations, RelationStatus

if TYPE_CHECKING:
    from rebound.customers.domain import ProfileEvent
    from rebound.customers.ports import CustomerTransactions, ProfileTransactions

RELATIONS: Final = "relations#"
"""How the partition keys begin: a partition for each customer, and one of each business for its invitations."""
INVITATION_KEPT: Final = timedelta(days=400)
"""As long as messages."""
_OF: Final = "of"


class DynamoRelations(Directory):
    """Implements ``RelationBook``."""

    kind = "relations"

    def __init__(self, table_name: str, customers: CustomerTransactions, history: ProfileTransactions) -> None:
        super().__init__(table_name)
        self._customers = customers
        self._history = history

    def get(self, business_id: str, customer_id: str) -> Relations:
        try:
            row = self.row.get(_whose(business_id, customer_id), self.entry(_OF), consistent_read=True)
        except self.row.DoesNotExist:
            return Relations(business_id=business_id, customer_id=customer_id)
        entries = {id_: _relation(id_, each) for id_, each in row.document.items()}
        return Relations(
            business_id=business_id, customer_id=customer_id, entries=entries, version=int(row.version or 0)
        )

    def save(
        self,
        relations: Sequence[Relations],
        events: Mapping[str, Sequence[ProfileEvent]],
        invitation: Invitation | None = None,
        asked_at: AskedAt | None = None,
        *,
        of_existing: bool = True,
    ) -> None:
        business_id = relations[0].business_id
        with transaction(self.row) as writes:
            for each in relations:
                row = self.row(
                    _whose(each.business_id, each.customer_id),
                    self.entry(_OF),
                    document={id_: _document(one) for id_, one in each.entries.items()},
                    version=next_version(each.version),
                )
                writes.save(row, condition=as_read(DirectoryRow, each.version))
                if of_existing:
                    self._customers.exists_within(writes, each.business_id, each.customer_id)
            for customer_id, noted in events.items():
                for event in noted:
                    self._history.note_within(writes, business_id, customer_id, event)
            if invitation is not None:
                document = {"customer_id": invitation.customer_id, "relation_id": invitation.relation_id}
                expires_at = expiry(time_of(invitation.message_id), INVITATION_KEPT)
                key = _whose(business_id, _INVITATIONS), self.entry(invitation.message_id)
                writes.save(self.row(*key, document=document, expires_at=expires_at))
            if asked_at is not None:
                row = self.row(
                    _whose(business_id, _INVITATIONS),
                    self.entry(asked_at.digest),
                    document={
                        "log_of": asked_at.log_of,
                        "message_id": asked_at.message_id,
                        "day": str(asked_at.day),
                        "times": asked_at.times,
                    },
                    version=next_version(asked_at.version),
                    expires_at=expiry(time_of(asked_at.message_id), INVITATION_KEPT),
                )
                writes.save(row, condition=as_read(DirectoryRow, asked_at.version))

    def invitation(self, business_id: str, message_id: str) -> Invitation | None:
        document = self.get_document(_whose(business_id, _INVITATIONS), message_id)
        return None if document is None else Invitation(message_id, document["customer_id"], document["relation_id"])

    def asked_at(self, business_id: str, digest: str) -> AskedAt:
        try:
            row = self.row.get(_whose(business_id, _INVITATIONS), self.entry(digest), consistent_read=True)
        except self.row.DoesNotExist:
            return AskedAt(business_id=business_id, digest=digest)
        day = date.fromisoformat(row.document["day"])
        known = {**row.document, "day": day, "times": int(row.document["times"])}
        return AskedAt(business_id=business_id, digest=digest, version=int(row.version or 0), **known)

    def forget(self, relations: Relations) -> None:
        row = self.row(_whose(relations.business_id, relations.customer_id), self.entry(_OF))
        with lost_races():
            row.delete(condition=as_read(DirectoryRow, relations.version))


_INVITATIONS: Final = "invitations"


def _whose(business_id: str, customer_id: str) -> str:
    return f"{RELATIONS}{business_id}#{customer_id}"


def _document(relation: Relation) -> dict[str, Any]:
    given = {name: getattr(relation, name) for name in relation.__struct_fields__ if name != "relation_id"}
    return {
        name: write_instant(value) if isinstance(value, datetime) else value
        for name, value in given.items()
        if value is not None
    }


def _relation(relation_id: str, document: Mapping[str, Any]) -> Relation:
    times = {name: read_instant(document[name]) for name in ("created_at", "answered_at") if name in document}
    return Relation(relation_id=relation_id, **{**document, **times, "status": RelationStatus(document["status"])})
