"""Rankings in the Directory table: one row for each business, and one that says when it was asked for."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Any, Final

from msgspec import convert, to_builtins

from rebound.kernel.errors import ConcurrentChangeError
from rebound.loyalty.domain.ranking import Ranking
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import DirectoryRow, lost_races

_LATEST: Final = "latest"
_USE: Final = "use"


class DynamoRankings(Directory):
    """Implements ``Rankings``. The version of a ranking's row is its time, in milliseconds."""

    kind = "ranking"

    def get(self, business_id: str) -> Ranking | None:
        document = self.get_document(business_id, _LATEST)
        return None if document is None else convert(document, Ranking)

    def put(self, business_id: str, ranking: Ranking) -> Ranking:
        document: dict[str, Any] = to_builtins(ranking)
        version = int(ranking.ranked_at.timestamp() * 1000)
        row = self.row(business_id, self.entry(_LATEST), document=document, version=version)
        with suppress(ConcurrentChangeError), lost_races():
            row.save(condition=DirectoryRow.version.does_not_exist() | (DirectoryRow.version <= version))
            return ranking
        return self.get(business_id) or ranking

    def used_on(self, business_id: str) -> date | None:
        document = self.get_document(business_id, _USE)
        return None if document is None else date.fromisoformat(document["day"])

    def note_use(self, business_id: str, day: date) -> None:
        self.put_document(business_id, _USE, {"day": str(day)})
