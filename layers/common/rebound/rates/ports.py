"""What rates need from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rebound.platform.ports import PlatformPorts

if TYPE_CHECKING:
    from rebound.application.ports import PaceBook, QuotaSource


class RatesPorts(PlatformPorts, Protocol):
    """What the use cases of rates need from outside."""

    @property
    def paces(self) -> PaceBook: ...

    @property
    def quotas(self) -> QuotaSource: ...
