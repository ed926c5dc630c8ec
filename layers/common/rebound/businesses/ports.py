"""What businesses need from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rebound.access.ports import AccessPorts
from rebound.contacts.ports import ContactsPorts

if TYPE_CHECKING:
    from rebound.application.ports import BusinessDirectory, RecopyQueue
    from rebound.domain.business import TextProvider


class BusinessesPorts(AccessPorts, ContactsPorts, Protocol):
    """What the use cases of businesses need from outside."""

    @property
    def businesses(self) -> BusinessDirectory: ...

    @property
    def recopy_queue(self) -> RecopyQueue: ...

    @property
    def default_text_provider(self) -> TextProvider:
        """Of businesses that are created without one."""
