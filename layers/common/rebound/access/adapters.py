"""API keys, in the Directory table."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from rebound.access.domain import ApiKey, OperatorKey
from rebound.kernel.api_scopes import ApiScope, OperatorScope
from rebound.kernel.pages import Page
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import (
    read_instant,
    write_instant,
)

OPERATOR: Final = "#operator"
"""Partition key in place of a business id, which no business can have."""


class DynamoApiKeyBook(Directory):
    """Implements ``ApiKeyBook``."""

    kind = "key"

    def add(self, key: ApiKey) -> None:
        self.put_document(key.business_id, key.key_id, _document(key), new=True)

    def find(self, business_id: str, key_id: str) -> ApiKey | None:
        document = self.get_document(business_id, key_id)
        return None if document is None else self._key(business_id, key_id, document)

    def list(self, business_id: str) -> Sequence[ApiKey]:
        return [
            self._key(business_id, row.entry_id.split("#", 1)[1], row.document) for row in self.all_rows(business_id)
        ]

    def page(self, business_id: str, limit: int, cursor: str | None) -> Page[ApiKey]:
        return self.page_documents(
            business_id, limit, cursor, lambda key_id, document: self._key(business_id, key_id, document)
        )

    def replace(self, key: ApiKey) -> None:
        self.put_document(key.business_id, key.key_id, _document(key))

    @staticmethod
    def _key(business_id: str, key_id: str, document: Mapping[str, Any]) -> ApiKey:
        return ApiKey(business_id, key_id, **_read(document, ApiScope))


class DynamoOperatorKeyBook(Directory):
    """Implements ``OperatorKeyBook``."""

    kind = "operator-key"

    def add(self, key: OperatorKey) -> None:
        self.put_document(OPERATOR, key.key_id, _document(key), new=True)

    def find(self, key_id: str) -> OperatorKey | None:
        document = self.get_document(OPERATOR, key_id)
        return None if document is None else OperatorKey(key_id, **_read(document, OperatorScope))

    def list(self) -> Sequence[OperatorKey]:
        return [
            OperatorKey(row.entry_id.split("#", 1)[1], **_read(row.document, OperatorScope))
            for row in self.all_rows(OPERATOR)
        ]

    def replace(self, key: OperatorKey) -> None:
        self.put_document(OPERATOR, key.key_id, _document(key))


def _document(key: ApiKey | OperatorKey) -> Mapping[str, Any]:
    return {
        "secret_hash": key.secret_hash,
        "scopes": list(key.scopes),
        "created_at": write_instant(key.created_at),
        "label": key.label,
        "expires_at": write_instant(key.expires_at) if key.expires_at else None,
    }


def _read(document: Mapping[str, Any], scopes: type[StrEnum]) -> dict[str, Any]:
    """The fields of a key, of either kind."""
    expires_at = document["expires_at"]
    return {
        "secret_hash": document["secret_hash"],
        # A key may be newer than the code that reads it, after a rollback.
        "scopes": _known(document["scopes"], scopes),
        "created_at": read_instant(document["created_at"]),
        "label": document["label"],
        "expires_at": read_instant(expires_at) if expires_at else None,
    }


def _known(given: Iterable[str], scopes: type[StrEnum]) -> tuple[StrEnum, ...]:
    return tuple(scopes(scope) for scope in given if scope in scopes)
