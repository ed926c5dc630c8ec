"""Keys of the API in memory."""

from collections.abc import Sequence
from functools import cached_property

from rebound.access.domain import ApiKey, OperatorKey
from rebound.kernel.pages import Page
from tests.contract.platform.fakes import MemoryPlatformPorts
from tests.fakes.cursors import page_of, read_cursor


class MemoryApiKeyBook:
    """Implements ``ApiKeyBook``."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], ApiKey] = {}

    def add(self, key: ApiKey) -> None:
        self._rows[key.business_id, key.key_id] = key

    def find(self, business_id: str, key_id: str) -> ApiKey | None:
        return self._rows.get((business_id, key_id))

    def list(self, business_id: str) -> Sequence[ApiKey]:
        return [key for (owner, _), key in sorted(self._rows.items()) if owner == business_id]

    def page(self, business_id: str, limit: int, cursor: str | None) -> Page[ApiKey]:
        after = read_cursor(cursor) or ""
        return page_of([(key.key_id, key) for key in self.list(business_id) if key.key_id > after], limit)

    def replace(self, key: ApiKey) -> None:
        self._rows[key.business_id, key.key_id] = key


class MemoryOperatorKeyBook:
    """Implements ``OperatorKeyBook``."""

    def __init__(self) -> None:
        self._rows: dict[str, OperatorKey] = {}

    def add(self, key: OperatorKey) -> None:
        self._rows[key.key_id] = key

    def find(self, key_id: str) -> OperatorKey | None:
        return self._rows.get(key_id)

    def list(self) -> Sequence[OperatorKey]:
        return [key for _, key in sorted(self._rows.items())]

    def replace(self, key: OperatorKey) -> None:
        self._rows[key.key_id] = key


class MemoryAccessPorts(MemoryPlatformPorts):
    """Implements ``AccessPorts``."""

    @cached_property
    def api_keys(self) -> MemoryApiKeyBook:
        return MemoryApiKeyBook()

    @cached_property
    def operator_keys(self) -> MemoryOperatorKeyBook:
        return MemoryOperatorKeyBook()
