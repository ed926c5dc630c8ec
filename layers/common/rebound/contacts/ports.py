"""What contacts need from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rebound.platform.ports import PlatformPorts

if TYPE_CHECKING:
    from rebound.application.ports import AddressReader, ContactBook, ContactHistory, SuppressionList


class ContactsPorts(PlatformPorts, Protocol):
    """What the use cases of contacts need from outside."""

    @property
    def addresses(self) -> AddressReader: ...

    @property
    def contacts(self) -> ContactBook: ...

    @property
    def contact_history(self) -> ContactHistory: ...

    @property
    def suppressions(self) -> SuppressionList: ...

    def whereabouts(self, number: str, /) -> frozenset[str]:
        """The zones in which a phone number may be."""

    def report_missed_removal(self, cause: str, /) -> None:
        """Tell the operator, without personal data, why an entry may still be on the provider's suppression list."""
