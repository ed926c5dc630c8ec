"""What the use cases of access need from outside."""

from collections.abc import Sequence
from typing import Protocol

from rebound.access.domain import ApiKey
from rebound.platform.ports import PlatformPorts


class ApiKeyBook(Protocol):
    """API keys; of each secret, only a hash is kept."""

    def add(self, key: ApiKey) -> None:
        """Keep a new key."""

    def find(self, business_id: str, key_id: str) -> ApiKey | None:
        """The key, revoked or not; ``None`` when there is none."""

    def list(self, business_id: str) -> Sequence[ApiKey]:
        """All keys of a business."""

    def replace(self, key: ApiKey) -> None:
        """Write a key as a whole, in place of the one that is kept."""


class AccessPorts(PlatformPorts, Protocol):
    """What the use cases of access need from outside."""

    @property
    def api_keys(self) -> ApiKeyBook: ...
