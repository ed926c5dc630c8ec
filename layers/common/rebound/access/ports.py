"""What access need from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rebound.platform.ports import PlatformPorts

if TYPE_CHECKING:
    from rebound.application.ports import ApiKeyBook


class AccessPorts(PlatformPorts, Protocol):
    """What the use cases of access need from outside."""

    @property
    def api_keys(self) -> ApiKeyBook: ...
