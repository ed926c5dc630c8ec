"""Keys of the API in memory."""

from collections.abc import Sequence
from functools import cached_property

from rebound.access.domain import ApiKey
from tests.contract.platform.fakes import MemoryPlatformPorts


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

    def replace(self, key: ApiKey) -> None:
        self._rows[key.business_id, key.key_id] = key


class MemoryAccessPorts(MemoryPlatformPorts):
    """Implements ``AccessPorts``."""

    @cached_property
    def api_keys(self) -> MemoryApiKeyBook:
        return MemoryApiKeyBook()
