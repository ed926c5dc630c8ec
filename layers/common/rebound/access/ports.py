"""What the use cases of access need from outside."""

from collections.abc import Sequence
from typing import Protocol

from rebound.access.domain import ApiKey, OperatorKey
from rebound.kernel.pages import Page
from rebound.platform.ports import PlatformPorts


class ApiKeyBook(Protocol):
    """API keys; of each secret, only a hash is kept."""

    def add(self, key: ApiKey) -> None:
        """Keep a new key."""

    def find(self, business_id: str, key_id: str) -> ApiKey | None:
        """The key, revoked or not; ``None`` when there is none."""

    def list(self, business_id: str) -> Sequence[ApiKey]:
        """All keys of a business."""

    def page(self, business_id: str, limit: int, cursor: str | None) -> Page[ApiKey]:
        """The keys of a business in the order in which they were made. Raises ``InvalidInputError`` for the cursor."""

    def replace(self, key: ApiKey) -> None:
        """Write a key as a whole, in place of the one that is kept."""


class OperatorKeyBook(Protocol):
    """The operator's keys."""

    def add(self, key: OperatorKey) -> None:
        """Keep a new key."""

    def find(self, key_id: str) -> OperatorKey | None:
        """The key, revoked or not; ``None`` when there is none."""

    def list(self) -> Sequence[OperatorKey]:
        """All keys."""

    def replace(self, key: OperatorKey) -> None:
        """Write a key as a whole, in place of the one that is kept."""


class AccessPorts(PlatformPorts, Protocol):
    """What the use cases of access need from outside."""

    @property
    def api_keys(self) -> ApiKeyBook: ...

    @property
    def operator_keys(self) -> OperatorKeyBook: ...
