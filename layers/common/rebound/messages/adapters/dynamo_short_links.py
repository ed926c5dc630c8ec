"""Short links in the Messages table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from rebound.messages.adapters.dynamo_messages import KEPT
from rebound.messages.adapters.rows import PointerRow
from rebound.platform.adapters.dynamo import bind, expiry

if TYPE_CHECKING:
    from rebound.messages.domain.links import ShortLink

_PREFIX: Final = "#stop#"


class DynamoShortLinks:
    """Implements ``ShortLinkBook``."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(PointerRow, table_name)

    def keep(self, link: ShortLink) -> None:
        expires_at = expiry(datetime.now(UTC), KEPT)
        self._row(f"{_PREFIX}{link.code}", "-", points_to=link.token, expires_at=expires_at).save()

    def token_of(self, code: str) -> str | None:
        found = self._row.batch_get([(f"{_PREFIX}{code}", "-")], consistent_read=True)
        return next((row.points_to for row in found), None)
