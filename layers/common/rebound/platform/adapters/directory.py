"""What the books that are kept in the Directory table have in common."""

from collections.abc import Mapping, Sequence
from typing import Any

from rebound.platform.adapters.dynamo import (
    DirectoryRow,
    bind,
    lost_races,
)


class Directory:
    """Documents of one kind. Each book is a module of its own, so that a function loads only those that it reads."""

    kind: str

    def __init__(self, table_name: str) -> None:
        self.row = bind(DirectoryRow, table_name)

    def get_document(self, business_id: str, id_: str = "") -> Mapping[str, Any] | None:
        """Strongly consistent; ``None`` when there is none."""
        try:
            document: Mapping[str, Any] = self.row.get(business_id, self.entry(id_), consistent_read=True).document
        except self.row.DoesNotExist:
            return None
        return document

    def put_document(
        self, business_id: str, id_: str, document: Mapping[str, Any], *, new: bool = False, **more: Any
    ) -> None:
        """Raises ``ConcurrentChangeError`` when it should be new and is not."""
        row = self.row(business_id, self.entry(id_), document=dict(document), **more)
        with lost_races():
            row.save(condition=DirectoryRow.entry_id.does_not_exist() if new else None)

    def entry(self, id_: str) -> str:
        """The row's sort key."""
        return f"{self.kind}#{id_}"

    def all_rows(self, business_id: str) -> Sequence[DirectoryRow]:
        """All of a business."""
        return list(self.row.query(business_id, DirectoryRow.entry_id.startswith(f"{self.kind}#")))
