"""API keys, in the Directory table."""

from collections.abc import Mapping, Sequence
from typing import Any

from rebound.access.domain import ApiKey
from rebound.kernel.api_scopes import ApiScope
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import (
    read_instant,
    write_instant,
)


class DynamoApiKeyBook(Directory):
    """Implements ``ApiKeyBook``."""

    kind = "key"

    def add(self, key: ApiKey) -> None:
        self.put_document(key.business_id, key.key_id, self._document(key), new=True)

    def find(self, business_id: str, key_id: str) -> ApiKey | None:
        document = self.get_document(business_id, key_id)
        return None if document is None else self._key(business_id, key_id, document)

    def list(self, business_id: str) -> Sequence[ApiKey]:
        return [
            self._key(business_id, row.entry_id.split("#", 1)[1], row.document) for row in self.all_rows(business_id)
        ]

    def replace(self, key: ApiKey) -> None:
        self.put_document(key.business_id, key.key_id, self._document(key))

    @staticmethod
    def _document(key: ApiKey) -> Mapping[str, Any]:
        return {
            "secret_hash": key.secret_hash,
            "scopes": list(key.scopes),
            "created_at": write_instant(key.created_at),
            "label": key.label,
            "expires_at": write_instant(key.expires_at) if key.expires_at else None,
        }

    @staticmethod
    def _key(business_id: str, key_id: str, document: Mapping[str, Any]) -> ApiKey:
        expires_at = document["expires_at"]
        return ApiKey(
            business_id,
            key_id,
            document["secret_hash"],
            # A key may be newer than the code that reads it, after a rollback.
            tuple(ApiScope(scope) for scope in document["scopes"] if scope in ApiScope),
            read_instant(document["created_at"]),
            document["label"],
            read_instant(expires_at) if expires_at else None,
        )
